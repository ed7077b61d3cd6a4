"""The subgraphs of some texts, laid end to end: B subgraphs, n nodes and m KG edges in all.

In a batch each also gets a context node, which comes first (`graph_batch.py`): N = n + B.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Int64s = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

NODE_COLUMNS = ("node_id", "node_type", "node_score")
EDGE_COLUMNS = ("head", "relation", "tail")


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
