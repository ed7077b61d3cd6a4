"""The stage that gives every choice of a question its subgraph."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from dragon_core.artifacts import ArtifactReference, ExternalFiles, Inputs, Parameters, Shard, Stage
from dragon_core.embedding import TextVectorParams
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking import EntityLinker, Mention, open_linker
from dragon_core.qa.schema import SPLITS, choices_schema, split_name
from dragon_core.subgraph import (
    Float32s,
    NamedNodes,
    NodeType,
    SubgraphExtractor,
    SubgraphParams,
    check_encoder,
    check_inputs,
    check_origins,
    open_extractor,
)

QUESTIONS_OF_A_BATCH = 256


class PreparationParams(Parameters):
    """How the subgraphs of questions are extracted."""

    subgraphs: SubgraphParams = Field(SubgraphParams(), description="As in the extraction for the corpus.")
    text_vectors: TextVectorParams = Field(
        TextVectorParams(), description="How a question with a choice is embedded, for relevance by similarity."
    )


class PrepareQuestions(Stage):
    """Links question and choices, and extracts a subgraph a choice: the code that prepares the corpus does both."""

    name: ClassVar[str] = "prepared-questions"
    version: ClassVar[int] = 4

    questions: ArtifactReference
    graph: ArtifactReference
    linker: ArtifactReference
    entity_table: ArtifactReference | None = None
    encoder: ExternalFiles | None = None
    params: PreparationParams = PreparationParams()

    @model_validator(mode="after")
    def _check_inputs(self) -> Self:
        params = self.params.subgraphs
        needed = {
            "entity_table": params.compares_vectors,
            "encoder": params.compares_vectors or params.scores_texts,
        }
        check_inputs(params, needed, entity_table=self.entity_table, encoder=self.encoder)
        return self

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """A shard a split."""
        return [split_name(split) for split in SPLITS]

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        """Prepare split by split.

        Raises:
            SubgraphError: The linker or the entity table is of another graph, or the table of another encoder.
        """
        self._check_origins(inputs)
        graph = KnowledgeGraph.open(inputs.graph.folder)
        params = self.params.subgraphs
        table = inputs.entity_table.folder if self.entity_table else None
        preparation = _Preparation(
            graph=graph,
            linker=open_linker(inputs.linker),
            extractor=open_extractor(graph, params, table, self.encoder.root if self.encoder else None),
            embed=self._embedding(),
            schema=choices_schema(params.max_nodes, graph.num_relations),
        )
        for shard in shards:
            questions = pq.read_table(inputs.questions.path(shard.name)).to_pylist()
            starts = range(0, len(questions), QUESTIONS_OF_A_BATCH)
            batches = (preparation.choices(questions[start : start + QUESTIONS_OF_A_BATCH], shard) for start in starts)
            shard.write_batches(shard.name, preparation.schema, batches)

    def _check_origins(self, inputs: Inputs) -> None:
        expected = [(inputs.linker, "graph", self.graph)]
        if self.entity_table:
            expected.append((inputs.entity_table, "graph", self.graph))
        check_origins(expected)
        if self.entity_table and self.encoder:
            check_encoder(inputs.entity_table, self.encoder.digest)

    def _embedding(self) -> Callable[[Sequence[str]], Float32s] | None:
        if not self.params.subgraphs.compares_vectors:
            return None
        from dragon_core.embedding.pooling import TextEncoder

        assert self.encoder is not None
        encoder, params = TextEncoder.load(self.encoder.root), self.params.text_vectors
        return lambda texts: encoder.embed_sorted(texts, params.max_tokens, params.batch_size)


@dataclass(frozen=True)
class _Preparation:
    graph: KnowledgeGraph
    linker: EntityLinker
    extractor: SubgraphExtractor
    embed: Callable[[Sequence[str]], Float32s] | None
    schema: pa.Schema

    def choices(self, questions: Sequence[dict[str, Any]], shard: Shard) -> pa.RecordBatch:
        """A row a choice."""
        rows = [question | {"text": choice} for question in questions for choice in question["choices"]]
        in_questions = self.linker.link([question["question"] for question in questions])
        in_choices = self.linker.link([row["text"] for row in rows])
        named = [
            mentions for question, mentions in zip(questions, in_questions, strict=True) for _ in question["choices"]
        ]
        answers = [self._answer(row["text"], mentions) for row, mentions in zip(rows, in_choices, strict=True)]
        # What is relevant is so to the question with this choice.
        texts = [f"{row['question']} {row['text']}" for row in rows]
        found = self.extractor.extract(
            _named(named), _named(answers), texts, self.embed(texts) if self.embed is not None else None
        )
        row_of_node = np.repeat(np.arange(len(rows)), np.diff(found.node_offsets))
        num_linked = len(np.unique(row_of_node[found.node_type == NodeType.ANSWER]))
        shard.count(
            questions=len(questions),
            choices=len(rows),
            nodes=len(found.node_id),
            choices_not_linked=len(rows) - num_linked,
        )
        own = ("question_id", "question", "context", "answer", "text")
        columns = {name: pa.array([row[name] for row in rows], self.schema.field(name).type) for name in own}
        return pa.record_batch(columns | found.to_arrow(self.schema), schema=self.schema)

    def _answer(self, choice: str, mentions: list[Mention]) -> list[Mention]:
        # A choice that is the name of a concept means this concept, not the ones its words name.
        exact = self.graph.ids_by_name.get(choice)
        return mentions if exact is None else [Mention(0, len(choice), exact, 1.0)]


def _named(mentions: Sequence[Sequence[Mention]]) -> NamedNodes:
    return NamedNodes.of(
        [[m.node for m in found] for found in mentions], [[m.score for m in found] for found in mentions]
    )
