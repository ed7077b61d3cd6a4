"""What a model made of a question: attention to the nodes of its graph, paths, and what removing a node changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import softmax

from dragon_core.artifacts import ArtifactReference
from dragon_core.qa.answering import Answer, QuestionAnswerer, Reading
from dragon_core.qa.dataset import Float32s
from dragon_core.qa.explanation.paths import ConceptPath, strongest_paths
from dragon_core.qa.question import Question
from dragon_core.subgraph.inspection import ShownSubgraph

ROWS_OF_A_BATCH = 32


@dataclass(frozen=True)
class Removal:
    """What is answered when a node, with its edges, is not in the subgraph.

    Attributes:
        node: Its position in the subgraph.
        probability: Then, of the choice that is explained.
    """

    node: int
    probability: float


@dataclass(frozen=True)
class GraphExplanation:
    """What was read beside a choice or, where the choices are classes, beside the question.

    Attributes:
        choice: Position of the choice whose probability is explained; among classes it is the answer.
        subgraph: n nodes and their edges.
        attention: [n] of the answer's head, the mean of its heads; sums to 1 if there is a node.
        paths: The strongest paths from question to choice.
        removals: Of the nodes with most attention, these first.
    """

    choice: int
    subgraph: ShownSubgraph
    attention: list[float]
    paths: list[ConceptPath]
    removals: list[Removal]

    @property
    def ranked(self) -> list[int]:
        """[n] nodes, those with most attention first."""
        return np.argsort(-np.array(self.attention), kind="stable").tolist()


@dataclass(frozen=True)
class Explanation:
    """Why a model answers as it does.

    Attributes:
        answer: The answer.
        model: Artifact that holds the model.
        has_classes: Whether the choices are classes, so that the question was read once.
        graphs: One a choice, or one; empty if the model reads no graph.
    """

    answer: Answer
    model: ArtifactReference
    has_classes: bool
    graphs: list[GraphExplanation]


def explain(answerer: QuestionAnswerer, question: Question, num_paths: int = 5, num_removals: int = 8) -> Explanation:
    """Answer a question and look at what the model read.

    Args:
        answerer: The model.
        question: As `QuestionAnswerer.question` makes it.
        num_paths: Most paths of a subgraph to tell.
        num_removals: Most nodes of a subgraph to try to do without, each for itself.
    """
    rows = answerer.prepare([question])
    readings = answerer.read(rows)
    answer = Answer(question, softmax(np.concatenate([reading.logits for reading in readings])).tolist())
    has_classes = bool(answerer.classes)
    if not answerer.reads_graph:
        return Explanation(answer, answerer.name, has_classes, [])
    records = rows.to_pylist()
    attention = [reading.attention for reading in readings if reading.attention is not None]
    removed = [np.argsort(-of_row, kind="stable")[:num_removals].tolist() for of_row in attention]
    without = [without_node(record, node) for record, nodes in zip(records, removed, strict=True) for node in nodes]
    logits = iter([reading.logits for reading in _read(answerer, without, rows.schema)])
    graphs = []
    for row, (record, of_row, nodes) in enumerate(zip(records, attention, removed, strict=True)):
        choice = answer.position if has_classes else row
        subgraph = ShownSubgraph.of(record, answerer.graph)
        removals = [Removal(node, _probability(readings, row, next(logits), choice)) for node in nodes]
        paths = strongest_paths(subgraph, of_row.tolist(), num_paths)
        graphs.append(GraphExplanation(choice, subgraph, of_row.tolist(), paths, removals))
    return Explanation(answer, answerer.name, has_classes, graphs)


def without_node(record: Mapping[str, Any], node: int) -> dict[str, Any]:
    """A row whose subgraph lacks a node and its edges.

    Args:
        record: The row, with the columns of a subgraph.
        node: Position of the node.
    """
    kept = [position for position in range(len(record["node_id"])) if position != node]
    places = {position: place for place, position in enumerate(kept)}
    edges = zip(record["head"], record["relation"], record["tail"], strict=True)
    left = [(places[h], relation, places[t]) for h, relation, t in edges if node not in (h, t)]
    nodes = {name: [record[name][position] for position in kept] for name in ("node_id", "node_type", "node_score")}
    ends = {name: [edge[part] for edge in left] for part, name in enumerate(("head", "relation", "tail"))}
    return {**record, **nodes, **ends}


def _read(answerer: QuestionAnswerer, records: Sequence[Mapping[str, Any]], schema: pa.Schema) -> list[Reading]:
    starts = range(0, len(records), ROWS_OF_A_BATCH)
    tables = [pa.Table.from_pylist(records[start : start + ROWS_OF_A_BATCH], schema) for start in starts]
    return [reading for table in tables for reading in answerer.read(table)]


def _probability(readings: Sequence[Reading], row: int, changed: Float32s, choice: int) -> float:
    """Of a choice, when a row has other logits."""
    logits = [changed if other == row else reading.logits for other, reading in enumerate(readings)]
    return float(softmax(np.concatenate(logits))[choice])
