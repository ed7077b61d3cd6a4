"""The extraction recipe published with QA-GNN and DRAGON in its published shape: networkx, over pairs of nodes.

Nodes: the linked nodes, and for every ordered pair of them the neighbours that both have. Edges: for every ordered pair
of nodes, `has_edge` and then its parallel edges, into a dense array [relations, nodes, nodes] that is made sparse. The
graph is held twice: directed, with an inverse for each edge, and simple.
"""

from collections.abc import Sequence

import networkx as nx
import numpy as np
from scipy.sparse import coo_array

from dragon_core.graph import KnowledgeGraph

Triple = tuple[int, int, int]


class NetworkxExtractor:
    """Extracts the subgraphs of one graph, without a limit on the nodes."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self._num_relations = graph.num_relations
        self._directed = nx.MultiDiGraph()
        self._simple = nx.Graph()
        self._directed.add_nodes_from(range(graph.num_nodes))
        self._simple.add_nodes_from(range(graph.num_nodes))
        for head in range(graph.num_nodes):
            for relation, tail in zip(*(array.tolist() for array in graph.edges_from(head)), strict=True):
                self._directed.add_edge(head, tail, relation=relation)
                self._directed.add_edge(tail, head, relation=self._num_relations + relation)
                self._simple.add_edge(head, tail)

    def extract(self, linked: Sequence[int]) -> tuple[set[int], list[Triple]]:
        """Nodes, and edges as (head, relation, tail), of a text whose linked nodes are given, each once."""
        others: set[int] = set()
        for first in linked:
            for second in linked:
                if first != second:
                    others |= set(self._simple[first]) & set(self._simple[second])
        nodes = np.array(sorted(linked) + sorted(others - set(linked)), dtype=np.int32)
        adjacency = self._adjacency(nodes)
        relation, head = np.divmod(adjacency.row, max(len(nodes), 1))
        columns = (nodes[head], relation, nodes[adjacency.col])
        return set(nodes.tolist()), list(zip(*(column.tolist() for column in columns), strict=True))

    def _adjacency(self, nodes: np.ndarray[tuple[int], np.dtype[np.int32]]) -> coo_array:
        size = len(nodes)
        dense = np.zeros((self._num_relations, size, size), dtype=np.uint8)
        for i in range(size):
            for j in range(size):
                head, tail = nodes[i], nodes[j]
                if self._directed.has_edge(head, tail):
                    for values in self._directed[head][tail].values():
                        if values["relation"] < self._num_relations:
                            dense[values["relation"]][i][j] = 1
        return coo_array(dense.reshape(self._num_relations * size, size))
