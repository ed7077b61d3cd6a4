"""The stage that gives every choice of a question its subgraph."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from dragon_core.artifacts import ArtifactReference, Inputs, Parameters, Shard, Stage
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking import EntityLinker, open_linker
from dragon_core.qa.schema import CHOICES, SPLITS, split_name
from dragon_core.subgraph import SubgraphExtractor, SubgraphParams


class PreparationParams(Parameters):
    """How the subgraphs of questions are extracted."""

    subgraphs: SubgraphParams = Field(SubgraphParams(), description="As in the extraction for the corpus.")


class PrepareQuestions(Stage):
    """Links question and choices, and extracts a subgraph a choice: the code that prepares the corpus does both."""

    name = "prepared-questions"
    version = 2
    questions: ArtifactReference
    graph: ArtifactReference
    linker: ArtifactReference
    params: PreparationParams = PreparationParams()

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """A shard a split."""
        return [split_name(split) for split in SPLITS]

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        """Prepare split by split."""
        graph = KnowledgeGraph.open(inputs.graph.folder)
        linker = open_linker(inputs.linker)
        extractor = SubgraphExtractor(graph, self.params.subgraphs)
        for shard in shards:
            questions = pq.read_table(inputs.questions.path(shard.name)).to_pylist()
            rows = [row for question in questions for row in _choices(question, graph, linker, extractor)]
            columns = {name: [row[name] for row in rows] for name in CHOICES.names}
            shard.write_table(shard.name, pa.Table.from_pydict(columns, schema=CHOICES))
            shard.count(
                questions=len(questions),
                choices=len(rows),
                nodes=sum(len(row["node_id"]) for row in rows),
                choices_not_linked=sum(1 not in row["node_type"] for row in rows),
            )


def _choices(
    question: dict[str, Any], graph: KnowledgeGraph, linker: EntityLinker, extractor: SubgraphExtractor
) -> Iterable[dict[str, Any]]:
    in_question, *in_choices = linker.link([question["question"], *question["choices"]])
    scores: dict[int, float] = {}
    for mention in in_question:
        scores[mention.node] = max(mention.score, scores.get(mention.node, 0.0))
    for choice, mentions in zip(question["choices"], in_choices, strict=True):
        # A choice that is the name of a concept means this concept, not the ones its words name.
        exact = graph.ids_by_name.get(choice)
        answer = [mention.node for mention in mentions] if exact is None else [exact]
        subgraph = extractor.extract(list(scores), answer, scores)
        yield question | {"text": choice} | vars(subgraph)
