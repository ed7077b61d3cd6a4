"""From the subgraphs of a batch, laid end to end, to the tensors that the model reads.

Each subgraph gets a context node, which stands for its text. It comes first, has concept id 0 and node type 3, and is
linked to the nodes that are named in the text. Shapes: B subgraphs, n nodes and m KG edges in all, N = n + B.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from dragon_core.training.errors import TrainingError

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]

CONTEXT_CONCEPT = 0
QUESTION_NODE = 0
ANSWER_NODE = 1
CONTEXT_NODE = 3
CONTEXT_TO_QUESTION = 0
CONTEXT_TO_ANSWER = 1
NUM_CONTEXT_RELATIONS = 2

NODE_COLUMNS = ("node_id", "node_type", "node_score")
EDGE_COLUMNS = ("head", "relation", "tail")


def count_edge_types(num_kg_relations: int) -> int:
    """Number of edge types of a batch: context and KG relations, and the inverses of all."""
    return 2 * (NUM_CONTEXT_RELATIONS + num_kg_relations)


@dataclass(frozen=True)
class Subgraphs:
    """Subgraphs laid end to end.

    Attributes:
        node_counts: [B].
        edge_counts: [B].
        node_id: [n] KG nodes.
        node_type: [n] 0 named in the text or question, 1 named in the answer, 2 other.
        node_score: [n] relevance.
        head: [m] position among the nodes of its own subgraph.
        relation: [m] KG relation, from 0.
        tail: [m] like head.
    """

    node_counts: Int64s
    edge_counts: Int64s
    node_id: Int64s
    node_type: Int64s
    node_score: npt.NDArray[np.float32]
    head: Int64s
    relation: Int64s
    tail: Int64s

    @classmethod
    def of_table(cls, table: pa.Table | pa.RecordBatch) -> Self:
        """Lay the subgraphs of a table's rows end to end; its list columns are named like the fields."""
        arrays: dict[str, list[Array]] = {}
        for name in NODE_COLUMNS + EDGE_COLUMNS:
            chunks = pa.chunked_array(table[name]).chunks
            arrays[name] = [
                chunk.values.to_numpy()[start:end]
                for chunk in chunks
                for offsets in [chunk.offsets.to_numpy()]
                for start, end in pairwise(offsets)
            ]
        return cls.concatenated(arrays)

    @classmethod
    def concatenated(cls, arrays: dict[str, list[Array]]) -> Self:
        """Join the arrays of each field, one array a subgraph."""

        def joined(name: str, dtype: type[np.generic]) -> Array:
            return np.concatenate([*arrays[name], np.empty(0, dtype)], dtype=dtype, casting="unsafe")

        return cls(
            node_counts=np.array([len(array) for array in arrays["node_id"]], dtype=np.int64),
            edge_counts=np.array([len(array) for array in arrays["head"]], dtype=np.int64),
            node_id=joined("node_id", np.int64),
            node_type=joined("node_type", np.int64),
            node_score=joined("node_score", np.float32),
            head=joined("head", np.int64),
            relation=joined("relation", np.int64),
            tail=joined("tail", np.int64),
        )

    @classmethod
    def empty(cls, count: int) -> Self:
        """Some subgraphs without a node."""
        return cls.concatenated({name: [np.empty(0, np.int64)] * count for name in NODE_COLUMNS + EDGE_COLUMNS})

    def __len__(self) -> int:
        return len(self.node_counts)

    @cached_property
    def first_node(self) -> Int64s:
        """[B] where each subgraph's nodes begin among the n nodes."""
        return np.cumsum(self.node_counts) - self.node_counts

    @cached_property
    def context_position(self) -> Int64s:
        """[B] where each context node stands among the N nodes."""
        return self.first_node + np.arange(len(self))

    @cached_property
    def node_graph(self) -> Int64s:
        """[n] the subgraph of each node."""
        return np.repeat(np.arange(len(self)), self.node_counts)

    @cached_property
    def edge_graph(self) -> Int64s:
        """[m] the subgraph of each edge."""
        return np.repeat(np.arange(len(self)), self.edge_counts)

    @cached_property
    def head_node(self) -> Int64s:
        """[m] where each edge's head stands among the n nodes."""
        return self.first_node[self.edge_graph] + self.head

    @cached_property
    def tail_node(self) -> Int64s:
        """[m] where each edge's tail stands among the n nodes."""
        return self.first_node[self.edge_graph] + self.tail

    @cached_property
    def head_position(self) -> Int64s:
        """[m] where each edge's head stands among the N nodes."""
        return self.context_position[self.edge_graph] + 1 + self.head

    @cached_property
    def tail_position(self) -> Int64s:
        """[m] where each edge's tail stands among the N nodes."""
        return self.context_position[self.edge_graph] + 1 + self.tail


class GraphCollator:
    """Makes the graph part of a batch; used by pretraining and by question answering.

    Edge types: 0 context node to a question node, 1 context node to an answer node, 2 + r for the KG's relation r, and
    + R for the inverse of each, with R = 2 + the KG's relations.
    """

    def __init__(self, num_kg_relations: int) -> None:
        self.num_relations = NUM_CONTEXT_RELATIONS + num_kg_relations

    def __call__(self, subgraphs: Subgraphs, kept_edges: Bools | None = None) -> dict[str, torch.Tensor]:
        """Lay out a batch.

        Args:
            subgraphs: One a text.
            kept_edges: [2, m] which KG edges the model may see, and which of their inverses; None: all.

        Returns:
            concept_ids, node_types, node_batch [N] int64; node_scores [N] float32 (0 for the context node); edge_index
            [2, E] and edge_type [E] int64.

        Raises:
            TrainingError: A relation is not one of the graph's.
        """
        if len(subgraphs.relation) and subgraphs.relation.max() >= self.num_relations - NUM_CONTEXT_RELATIONS:
            raise TrainingError(
                f"A subgraph has relation {subgraphs.relation.max()}, the graph has only"
                f" {self.num_relations - NUM_CONTEXT_RELATIONS}: the subgraphs were made with another graph."
            )
        positions = np.arange(len(subgraphs.node_id)) + subgraphs.node_graph + 1
        total = len(positions) + len(subgraphs)
        source, relation, target = self._edges(subgraphs, positions)
        seen = np.ones((2, len(source)), dtype=bool)
        if kept_edges is not None:
            seen[:, len(source) - len(subgraphs.head) :] = kept_edges
        arrays = {
            "concept_ids": _placed(total, CONTEXT_CONCEPT, positions, subgraphs.node_id + 1),
            "node_types": _placed(total, CONTEXT_NODE, positions, subgraphs.node_type),
            "node_scores": _placed(total, np.float32(0), positions, subgraphs.node_score),
            "node_batch": np.repeat(np.arange(len(subgraphs)), subgraphs.node_counts + 1),
            "edge_index": np.stack(
                [
                    np.concatenate([source[seen[0]], target[seen[1]]]),
                    np.concatenate([target[seen[0]], source[seen[1]]]),
                ]
            ),
            "edge_type": np.concatenate([relation[seen[0]], relation[seen[1]] + self.num_relations]),
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def _edges(self, subgraphs: Subgraphs, positions: Int64s) -> tuple[Int64s, Int64s, Int64s]:
        """Context edges, then KG edges."""
        linked = np.flatnonzero((subgraphs.node_type == QUESTION_NODE) | (subgraphs.node_type == ANSWER_NODE))
        context = subgraphs.context_position[subgraphs.node_graph[linked]]
        context_relation = np.where(
            subgraphs.node_type[linked] == QUESTION_NODE, CONTEXT_TO_QUESTION, CONTEXT_TO_ANSWER
        )
        return (
            np.concatenate([context, subgraphs.head_position]),
            np.concatenate([context_relation, subgraphs.relation + NUM_CONTEXT_RELATIONS]),
            np.concatenate([positions[linked], subgraphs.tail_position]),
        )


def _placed(length: int, default: int | np.float32, positions: Int64s, values: Array) -> Array:
    result = np.full(length, default, dtype=values.dtype)
    result[positions] = values
    return result
