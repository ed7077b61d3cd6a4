"""What a graph looks like, in numbers."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from dragon_core.graph.knowledge_graph import Adjacency, Int64s


@dataclass(frozen=True)
class GraphStatistics:
    """Counts over a graph (N nodes, E edges, R relations).

    Attributes:
        degrees: [N] edges at each node.
        edges_of_relations: [R] edges of each relation.
        component_sizes: Nodes of each connected component, isolated nodes aside, the largest first.
    """

    degrees: Int64s
    edges_of_relations: Int64s
    component_sizes: Int64s

    @classmethod
    def of(cls, adjacency: Adjacency, num_relations: int) -> Self:
        """Count."""
        degrees = np.diff(adjacency.offsets)
        outgoing = adjacency.relations[adjacency.relations >= 0]
        rows = (np.ones(len(adjacency.neighbours), np.int8), adjacency.neighbours, adjacency.offsets)
        _, component = connected_components(csr_array(rows, shape=(len(degrees), len(degrees))), directed=False)
        sizes = np.bincount(component[degrees > 0])
        return cls(
            degrees, np.bincount(outgoing, minlength=num_relations), np.sort(sizes[sizes > 0])[::-1].astype(np.int64)
        )

    @property
    def isolated_nodes(self) -> int:
        """Nodes without an edge."""
        return int((self.degrees == 0).sum())

    def most_connected(self, number: int) -> list[int]:
        """The nodes of most edges, the first first."""
        return [int(node) for node in np.argsort(-self.degrees, kind="stable")[:number] if self.degrees[node]]
