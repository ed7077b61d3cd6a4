"""The edges that link prediction asks for, and the false ones it is to tell them from.

A held-out edge leaves the input graph together with every other edge between the same two nodes, so that neither its
inverse nor a parallel relation gives it away. A negative replaces the head or the tail by another node of the same
subgraph, such that the result is no edge of the subgraph; a symmetric relation's edge counts in both directions.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dragon_core.training.graph_batch import NUM_CONTEXT_RELATIONS
from dragon_core.training.link_kernels import draw, false_ends, same_ends
from dragon_core.training.random_numbers import Purpose, UInt64s, random_bits, uniform
from dragon_core.training.relation_ends import RelationEnds
from dragon_core.training.subgraphs import Subgraphs

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LinkTargets:
    """P held-out edges of a batch with K negatives each; nodes are positions among all nodes of the batch.

    Attributes:
        kept: [2, m] which of the KG edges stay in the input graph, and which of their inverses.
        edges: [P] which KG edge each target is, or is the inverse of.
        head: [P].
        relation: [P] edge type, 2 + the KG's relation.
        tail: [P].
        negatives: [P, K]; the first K // 2 replace the head, the others the tail.
    """

    kept: Bools
    edges: Int64s
    head: Int64s
    relation: Int64s
    tail: Int64s
    negatives: Int64s


class LinkTargetSampler:
    """Holds out edges and corrupts them.

    Attributes:
        symmetric: [KG relations] which relations say the same in both directions.
        max_targets: Most edges to hold out of a subgraph.
        share: Largest share of a subgraph's edges to hold out as targets.
        num_negatives: K, even.
        ends: If given, a node that stands in for a head is one that the relation has as a head somewhere in the graph,
            and one for a tail likewise, as far as the subgraph has any.
    """

    def __init__(
        self,
        symmetric: Bools,
        max_targets: int = 100,
        share: float = 0.15,
        num_negatives: int = 64,
        ends: RelationEnds | None = None,
    ) -> None:
        self.symmetric = symmetric
        self.max_targets = max_targets
        self.share = share
        self.num_negatives = num_negatives
        self.ends = ends

    def __call__(self, subgraphs: Subgraphs, keys: UInt64s) -> LinkTargets:
        """Choose the targets of a batch.

        Args:
            subgraphs: B subgraphs.
            keys: [B] random keys of the examples.
        """
        targets = ranked_edges(subgraphs.edge_graph, subgraphs.edge_counts, keys, self.share, self.max_targets)
        heads, tails = _false_ends(subgraphs, targets, self.symmetric)
        possible = heads.any(axis=1) & tails.any(axis=1)
        targets, heads, tails = targets[possible], heads[possible], tails[possible]
        if self.ends is not None:
            heads = self.ends.preferred(subgraphs, targets, heads, of_heads=True)
            tails = self.ends.preferred(subgraphs, targets, tails, of_heads=False)
        first = np.cumsum(subgraphs.edge_counts) - subgraphs.edge_counts
        graph = subgraphs.edge_graph[targets]
        counters = (targets - first[graph])[:, None] * self.num_negatives + np.arange(self.num_negatives)
        numbers = uniform(keys[graph][:, None], Purpose.NEGATIVES, counters)
        half = self.num_negatives // 2
        nodes = np.concatenate([draw(heads, numbers[:, :half]), draw(tails, numbers[:, half:])], axis=1)
        hidden = same_ends(
            targets, subgraphs.edge_graph, subgraphs.edge_counts, subgraphs.head, subgraphs.tail, heads.shape[1]
        )
        return LinkTargets(
            kept=np.broadcast_to(~hidden, (2, len(hidden))),
            edges=targets,
            head=subgraphs.head_position[targets],
            relation=subgraphs.relation[targets] + NUM_CONTEXT_RELATIONS,
            tail=subgraphs.tail_position[targets],
            negatives=nodes + subgraphs.context_position[graph][:, None] + 1,
        )


def rank_candidates(subgraphs: Subgraphs, links: LinkTargets, symmetric: Bools) -> Int64s:
    """The nodes that the ends of each target are to be ranked among, filtered as Bordes et al. (NeurIPS 2013) do it.

    Args:
        subgraphs: B subgraphs of at most S nodes.
        links: P targets of theirs.
        symmetric: [KG relations] which relations say the same in both directions.

    Returns:
        [P, 2 S] positions among all nodes of the batch: every node of the subgraph that makes no true edge in the place
        of the head, then in the place of the tail. Where there is none, the target's own head or tail stands.
    """
    heads, tails = _false_ends(subgraphs, links.edges, symmetric)
    context = subgraphs.context_position[subgraphs.edge_graph[links.edges]][:, None]
    nodes = context + 1 + np.arange(heads.shape[1])
    columns = [np.where(heads, nodes, links.head[:, None]), np.where(tails, nodes, links.tail[:, None])]
    return np.concatenate(columns, axis=1)


def ranked_edges(graph: Int64s, counts: Int64s, keys: UInt64s, share: float, most: int) -> Int64s:
    """Random edges of each graph, as many as its share, but no more than `most`.

    Args:
        graph: [m] the graph of each edge, sorted.
        counts: [B] edges of each graph.
        keys: [B] random keys.
        share: In [0, 1].
        most: Edges of a graph.

    Returns:
        Sorted positions among the m edges.
    """
    first = np.cumsum(counts) - counts
    rank = np.arange(len(graph)) - first[graph]
    bits = random_bits(keys[graph], Purpose.LINK_TARGETS, rank)
    # One number to sort by: the graph, then 40 random bits; equal ones stay in order.
    order = np.argsort((graph.astype(np.uint64) << np.uint64(40)) | (bits >> np.uint64(24)), kind="stable")
    budget = np.minimum(np.floor(share * counts), most)
    return np.sort(order[rank < budget[graph]])


def _false_ends(subgraphs: Subgraphs, targets: Int64s, symmetric: Bools) -> tuple[Bools, Bools]:
    """Which nodes make no true edge as a target's head, and as its tail: [P, S] by position in the subgraph."""
    ends: tuple[Bools, Bools] = false_ends(
        targets,
        subgraphs.edge_graph,
        subgraphs.edge_counts,
        subgraphs.node_counts,
        subgraphs.head,
        subgraphs.relation,
        subgraphs.tail,
        symmetric,
        int(subgraphs.node_counts.max(initial=1)),
    )
    return ends
