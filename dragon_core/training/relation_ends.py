"""Which nodes a relation has as heads and as tails, for negatives that are not false at first sight.

"A dog is at the location of: Tuesday" is told from a true edge by the kind of its tail alone; a tail that the relation
has elsewhere is not (Krompass et al., ISWC 2015, "Type-constrained representation learning in knowledge graphs", with
the local closed-world assumption).
"""

from typing import Self

import numpy as np
import numpy.typing as npt

from dragon_core.graph import KnowledgeGraph
from dragon_core.training.subgraphs import Subgraphs

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class RelationEnds:
    """The heads and tails of every relation of a graph, 16 bytes an edge at most."""

    def __init__(self, head: Int64s, relation: Int64s, tail: Int64s, symmetric: Bools, num_nodes: int) -> None:
        """Collect.

        Args:
            head: [E] of the graph's edges.
            relation: [E].
            tail: [E].
            symmetric: [relations]; what is a head of such a relation is a tail as well.
            num_nodes: Of the graph.
        """
        self._num_nodes = num_nodes
        base, mirrored = relation * num_nodes, symmetric[relation]
        self._heads, self._tails = (
            np.unique(np.concatenate([base + these, (base + others)[mirrored]]))
            for these, others in ((head, tail), (tail, head))
        )

    @classmethod
    def of(cls, graph: KnowledgeGraph) -> Self:
        """Those of a graph."""
        adjacency = graph.adjacency
        outgoing = np.flatnonzero(adjacency.relations >= 0)
        head = np.repeat(np.arange(graph.num_nodes), graph.degrees)[outgoing]
        relation, tail = (array[outgoing].astype(np.int64) for array in (adjacency.relations, adjacency.neighbours))
        symmetric = np.array([relation.symmetric for relation in graph.relations], dtype=bool)
        return cls(head, relation, tail, symmetric, graph.num_nodes)

    def preferred(self, subgraphs: Subgraphs, targets: Int64s, allowed: Bools, of_heads: bool) -> Bools:
        """Of the allowed nodes those that the relation has at that end; where none is, all that are allowed.

        Args:
            subgraphs: B subgraphs of at most S nodes.
            targets: [P] edges.
            allowed: [P, S] by position in the subgraph.
            of_heads: Whether the head is replaced, else the tail.
        """
        row, place = np.nonzero(allowed)
        nodes = subgraphs.node_id[subgraphs.first_node[subgraphs.edge_graph[targets[row]]] + place]
        wanted = subgraphs.relation[targets[row]] * self._num_nodes + nodes
        occurs = _is_in(self._heads if of_heads else self._tails, wanted)
        typed = np.zeros_like(allowed)
        typed[row[occurs], place[occurs]] = True
        return np.where(typed.sum(axis=1)[:, None] > 0, typed, allowed)


def _is_in(known: Int64s, wanted: Int64s) -> Bools:
    at = np.searchsorted(known, wanted)
    inside = at < len(known)
    found = np.zeros(len(wanted), dtype=bool)
    found[inside] = known[at[inside]] == wanted[inside]
    return found
