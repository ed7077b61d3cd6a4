"""From linked nodes to a subgraph: the linked nodes, the bridge nodes between them, and all edges among these.

A bridge node is adjacent to at least two linked nodes (Yasunaga et al., NeurIPS 2022: nodes on 2-hop paths between
linked nodes). Concatenating the linked nodes' rows of neighbours and counting finds them; no pair of nodes is ever
looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from dragon_core.artifacts import Parameters
from dragon_core.graph import KnowledgeGraph

Array = npt.NDArray[Any]
# Positions in a subgraph are stored as int16.
LARGEST_SUBGRAPH = int(np.iinfo(np.int16).max)


class NodeType(IntEnum):
    """What a node is to the text; the model adds a context node of type 3."""

    LINKED = 0
    ANSWER = 1
    OTHER = 2


class SubgraphParams(Parameters):
    """How subgraphs are extracted."""

    max_nodes: int = Field(
        200, ge=1, le=LARGEST_SUBGRAPH, description="Nodes a subgraph has at most; linked nodes come first."
    )
    hub_cap: int = Field(
        10_000, ge=1, description="A linked node with more neighbours than this is kept, but finds no bridge nodes."
    )


@dataclass(frozen=True)
class Subgraph:
    """Part of a knowledge graph (n nodes, e edges).

    Attributes:
        node_id: [n] int32 ids in the graph: linked nodes in the order given, answer nodes, then bridges by relevance.
        node_type: [n] int8 `NodeType`.
        node_score: [n] float32 in [0, 1]: a linked node's score as given, a bridge's share of linked nodes it touches.
        head: [e] int16 positions in node_id.
        relation: [e] int16 the graph's relations; each edge once, in the graph's direction.
        tail: [e] int16 positions in node_id.
    """

    node_id: Array
    node_type: Array
    node_score: Array
    head: Array
    relation: Array
    tail: Array


class SubgraphExtractor:
    """Extracts subgraphs of one graph; deterministic."""

    def __init__(self, graph: KnowledgeGraph, params: SubgraphParams) -> None:
        self.graph = graph
        self.params = params
        self._degrees = np.diff(graph.neighbour_offsets)
        # Position of a node in the subgraph in hand, -1 for all others; saves a search an edge.
        self._positions = np.full(graph.num_nodes, -1, dtype=np.int16)

    def extract(
        self, linked: Sequence[int], answer: Sequence[int] = (), scores: Mapping[int, float] | None = None
    ) -> Subgraph:
        """Extract the subgraph of a text, or of a question with an answer.

        Args:
            linked: Nodes linked in the text; repeated and unknown ids are passed over.
            answer: Nodes linked in the answer; a node that is linked in both counts as the answer's.
            scores: Scores of linked nodes, by node; 1 where none is given.
        """
        answers = dict.fromkeys(int(node) for node in answer if 0 <= node < self.graph.num_nodes)
        texts = dict.fromkeys(int(node) for node in linked if 0 <= node < self.graph.num_nodes and node not in answers)
        # What the answer names is never crowded out by a long text.
        room = max(self.params.max_nodes - len(answers), 0)
        anchors = np.array([*list(texts)[:room], *answers][: self.params.max_nodes], dtype=np.int32)
        bridges, touched = self._bridges(anchors)
        nodes = np.concatenate([anchors, bridges])
        types = np.full(len(nodes), NodeType.OTHER, dtype=np.int8)
        types[: len(anchors)] = [NodeType.ANSWER if node in answers else NodeType.LINKED for node in anchors.tolist()]
        given = scores or {}
        anchor_scores = [given.get(node, 1.0) for node in anchors.tolist()]
        node_scores = np.concatenate([anchor_scores, touched / max(len(anchors), 1)]).astype(np.float32)
        return Subgraph(nodes, types, node_scores, *self._edges(nodes))

    def _bridges(self, anchors: Array) -> tuple[Array, Array]:
        """Bridge nodes, the most touching first, then those of lower degree, then by id; and how many each touches."""
        sources = anchors[self._degrees[anchors] <= self.params.hub_cap]
        rows, _ = rows_of(self.graph.neighbour_offsets, sources)
        candidates, touched = np.unique(self.graph.neighbour_nodes[rows], return_counts=True)
        kept = (touched >= 2) & ~np.isin(candidates, anchors)
        candidates, touched = candidates[kept], touched[kept]
        order = np.lexsort((candidates, self._degrees[candidates], -touched))[: self.params.max_nodes - len(anchors)]
        return candidates[order], touched[order]

    def _edges(self, nodes: Array) -> tuple[Array, Array, Array]:
        """Heads, relations and tails of all edges among the nodes, sorted by (head position, relation, tail id)."""
        self._positions[nodes] = np.arange(len(nodes), dtype=np.int16)
        rows, owner = rows_of(self.graph.out_offsets, nodes)
        tails = self._positions[self.graph.out_tails[rows]]
        self._positions[nodes] = -1
        inside = tails >= 0
        return owner[inside].astype(np.int16), self.graph.out_relations[rows[inside]].astype(np.int16), tails[inside]


def rows_of(offsets: Array, nodes: Array) -> tuple[Array, Array]:
    """Indices of the compressed sparse rows of some nodes, one row after the other.

    Args:
        offsets: [N + 1] where each node's row begins.
        nodes: [n] nodes.

    Returns:
        The indices, and for each the position of its node in `nodes`.
    """
    starts = offsets[nodes]
    lengths = offsets[nodes + 1] - starts
    ends = np.cumsum(lengths)
    owner = np.repeat(np.arange(len(nodes)), lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths), owner
