"""From questions to what a model reads of them: texts, and subgraphs linked and extracted as the corpus' are."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import Field

from dragon_core.artifacts import Parameters
from dragon_core.embedding import TextVectorParams
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking import EntityLinker, Mention
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.question import Question, text_with_context
from dragon_core.qa.schema import choices_schema
from dragon_core.subgraph import Float32s, NamedNodes, SubgraphBatch, SubgraphParams, open_extractor


class ChoiceParams(Parameters):
    """What is read of questions and their choices."""

    classes: tuple[str, ...] = Field(
        (),
        description="The choices, if they are the same of every question, such as yes and no: they are classes then,"
        " and a question is read once; empty: each choice is read with the question.",
    )
    answer_edges: bool = Field(
        True,
        description="Whether edges between what the question and what one of its choices names are kept: a set that was"
        " made from the graph asks for some of them.",
    )


class PreparationParams(ChoiceParams):
    """How the subgraphs of questions are extracted."""

    subgraphs: SubgraphParams = Field(SubgraphParams(), description="As in the extraction for the corpus.")
    text_vectors: TextVectorParams = Field(
        TextVectorParams(), description="How a question is embedded, for relevance by similarity."
    )


class QuestionPreparer:
    """Turns questions into rows: one a choice or, where the choices are classes, one a question.

    Args:
        graph: The graph.
        linker: Links texts to it.
        params: How questions are prepared.
        entity_table: Folder of the graph's entity table, for relevance by similarity.
        encoder: Folder of a language model, for relevance by similarity or by language model.
    """

    def __init__(
        self,
        graph: KnowledgeGraph,
        linker: EntityLinker,
        params: PreparationParams,
        entity_table: Path | None = None,
        encoder: Path | None = None,
    ) -> None:
        self.schema = choices_schema(params.subgraphs.max_nodes, graph.num_relations)
        self._graph = graph
        self._linker = linker
        self._params = params
        self._extractor = open_extractor(graph, params.subgraphs, entity_table, encoder)
        self._embed: Callable[[Sequence[str]], Float32s] | None = None
        if params.subgraphs.compares_vectors:
            assert encoder is not None
            self._embed = _embedding(encoder, params.text_vectors)

    def __call__(self, questions: Sequence[Question]) -> pa.RecordBatch:
        """Rows (`schema.choices_schema`) of some questions, in their order.

        Raises:
            QuestionError: A question's choices are not the classes.
        """
        asked = [text_with_context(question.question, question.context) for question in questions]
        read = [self.texts(question) for question in questions]
        of_row = np.repeat(np.arange(len(questions)), [len(texts) for texts in read]).tolist()
        texts = [text for of_question in read for text in of_question]
        in_questions = self._linker.link(asked)
        in_choices = [self._named(text, found) for text, found in zip(texts, self._linker.link(texts), strict=True)]
        found = self._extractor.extract(
            _named_nodes([in_questions[row] for row in of_row]),
            _named_nodes(in_choices),
            # What is relevant is so to the question: a choice's own concepts would be most relevant to that choice.
            [asked[row] for row in of_row],
            None if self._embed is None else self._embed(asked)[of_row],
        )
        if not self._params.answer_edges:
            asked_nodes = [{mention.node for mention in mentions} for mentions in in_questions]
            choice_nodes: list[set[int]] = [set() for _ in questions]
            for row, mentions in zip(of_row, in_choices, strict=True):
                choice_nodes[row] |= {mention.node for mention in mentions}
            found = without_edges_between(
                found, [asked_nodes[row] for row in of_row], [choice_nodes[row] for row in of_row]
            )
        columns = {"text": pa.array(texts, pa.string())}
        for name in ("question_id", "question", "context", "answer"):
            columns[name] = pa.array([getattr(questions[row], name) for row in of_row], self.schema.field(name).type)
        return pa.record_batch(columns | found.to_arrow(self.schema), schema=self.schema)

    def texts(self, question: Question) -> list[str]:
        """What is read after a question, one text a row.

        Raises:
            QuestionError: Its choices are not the classes.
        """
        classes = list(self._params.classes)
        if not classes:
            return question.choices
        if question.choices != classes:
            raise QuestionError(
                f"Question {question.question_id} has the choices {', '.join(question.choices)}, not the classes"
                f" {', '.join(classes)}; give no `classes`, to have each choice read with the question."
            )
        return [""]

    def _named(self, choice: str, mentions: list[Mention]) -> list[Mention]:
        # A choice that is the name of a concept means this concept, not the ones its words name.
        exact = self._graph.ids_by_name.get(choice)
        return mentions if exact is None else [Mention(0, len(choice), exact, 1.0)]


def without_edges_between(
    found: SubgraphBatch, some: Sequence[Collection[int]], others: Sequence[Collection[int]]
) -> SubgraphBatch:
    """Subgraphs without the edges, in either direction, from some nodes to others.

    Args:
        found: The subgraphs of S texts.
        some: [S] ids of nodes of each.
        others: [S] likewise; a node may be among both.
    """
    of_edge = np.repeat(np.arange(len(found)), np.diff(found.edge_offsets))
    head, tail = (found.node_offsets[of_edge] + end for end in (found.head, found.tail))
    of_text = np.split(found.node_id, found.node_offsets[1:-1])
    in_some, in_others = (
        np.concatenate([np.isin(ids, list(nodes)) for ids, nodes in zip(of_text, named, strict=True)])
        for named in (some, others)
    )
    kept = ~((in_some[head] & in_others[tail]) | (in_others[head] & in_some[tail]))
    counts = np.bincount(of_edge[kept], minlength=len(found))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    edges = {name: getattr(found, name)[kept] for name in ("head", "relation", "tail")}
    return replace(found, edge_offsets=offsets, **edges)


def _embedding(encoder: Path, params: TextVectorParams) -> Callable[[Sequence[str]], Float32s]:
    from dragon_core.embedding.pooling import TextEncoder

    loaded = TextEncoder.load(encoder)
    return lambda texts: loaded.embed_sorted(texts, params.max_tokens, params.batch_size)


def _named_nodes(mentions: Sequence[Sequence[Mention]]) -> NamedNodes:
    return NamedNodes.of(
        [[m.node for m in found] for found in mentions], [[m.score for m in found] for found in mentions]
    )
