"""The edges that link prediction asks for, and the false ones it is to tell them from.

A held-out edge leaves the input graph together with every other edge between the same two nodes, so that neither its
inverse nor a parallel relation gives it away. A negative replaces the head or the tail by another node of the same
subgraph, such that the result is no edge of the subgraph; a symmetric relation's edge counts in both directions. All
of a batch is done at once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dragon_core.training.graph_batch import NUM_CONTEXT_RELATIONS, Subgraphs
from dragon_core.training.random_numbers import Purpose, UInt64s, random_bits, uniform
from dragon_core.training.relation_ends import RelationEnds

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
        half = self.num_negatives // 2
        head_pool, tail_pool = self._pools(subgraphs, targets)
        possible = (head_pool.sizes > 0) & (tail_pool.sizes > 0)
        targets, head_pool, tail_pool = targets[possible], head_pool.only(possible), tail_pool.only(possible)
        first = np.cumsum(subgraphs.edge_counts) - subgraphs.edge_counts
        graph = subgraphs.edge_graph[targets]
        counters = (targets - first[graph])[:, None] * self.num_negatives + np.arange(self.num_negatives)
        numbers = uniform(keys[graph][:, None], Purpose.NEGATIVES, counters)
        nodes = np.concatenate([head_pool.draw(numbers[:, :half]), tail_pool.draw(numbers[:, half:])], axis=1)
        pairs = _pair_keys(subgraphs)
        return LinkTargets(
            kept=np.broadcast_to(~np.isin(pairs, pairs[targets]), (2, len(pairs))),
            edges=targets,
            head=subgraphs.head_position[targets],
            relation=subgraphs.relation[targets] + NUM_CONTEXT_RELATIONS,
            tail=subgraphs.tail_position[targets],
            negatives=nodes + subgraphs.context_position[graph][:, None] + 1,
        )

    def _pools(self, subgraphs: Subgraphs, targets: Int64s) -> "tuple[_Pool, _Pool]":
        head_allowed, head_rows = allowed_nodes(subgraphs, targets, self.symmetric, corrupt_head=True)
        tail_allowed, tail_rows = allowed_nodes(subgraphs, targets, self.symmetric, corrupt_head=False)
        if self.ends is not None:
            head_allowed = self.ends.preferred(subgraphs, targets, head_allowed, head_rows, heads=True)
            tail_allowed = self.ends.preferred(subgraphs, targets, tail_allowed, tail_rows, heads=False)
        return _Pool.of(head_allowed, head_rows), _Pool.of(tail_allowed, tail_rows)


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
    columns = []
    for corrupt_head, own in ((True, links.head), (False, links.tail)):
        allowed, rows = allowed_nodes(subgraphs, links.edges, symmetric, corrupt_head)
        context = subgraphs.context_position[subgraphs.edge_graph[links.edges]][:, None]
        nodes = context + 1 + np.arange(allowed.shape[1])
        columns.append(np.where(allowed[rows], nodes, own[:, None]))
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
    order = np.lexsort((random_bits(keys[graph], Purpose.LINK_TARGETS, rank), graph))
    budget = np.minimum(np.floor(share * counts), most)
    return np.sort(order[rank < budget[graph]])


def allowed_nodes(subgraphs: Subgraphs, targets: Int64s, symmetric: Bools, corrupt_head: bool) -> tuple[Bools, Int64s]:
    """Which nodes make no true edge in the place of a target's head (or tail).

    Args:
        subgraphs: B subgraphs of at most S nodes.
        targets: [P] edges.
        symmetric: [KG relations].
        corrupt_head: Whether the head is replaced, else the tail.

    Returns:
        allowed [Q, S] by position in the subgraph, and the row of each target [P]: targets of the same subgraph,
        relation and fixed node share one.
    """
    size = int(subgraphs.node_counts.max(initial=1))
    head, relation, tail = subgraphs.head, subgraphs.relation, subgraphs.tail
    fixed, free = (tail, head) if corrupt_head else (head, tail)
    base = (subgraphs.edge_graph * len(symmetric) + relation) * size
    queries, rows = np.unique((base + fixed)[targets], return_inverse=True)
    mirrored = symmetric[relation]
    known = np.concatenate([base + fixed, (base + free)[mirrored]])
    answers = np.concatenate([free, fixed[mirrored]])
    row_graph = np.zeros(len(queries), dtype=np.int64)
    row_graph[rows] = subgraphs.edge_graph[targets]
    allowed = np.arange(size) < subgraphs.node_counts[row_graph][:, None]
    if len(queries):
        at = np.minimum(np.searchsorted(queries, known), len(queries) - 1)
        asked = queries[at] == known
        allowed[at[asked], answers[asked]] = False
    return allowed, rows


def _pair_keys(subgraphs: Subgraphs) -> Int64s:
    size = int(subgraphs.node_counts.max(initial=1))
    low = np.minimum(subgraphs.head, subgraphs.tail)
    high = np.maximum(subgraphs.head, subgraphs.tail)
    return (subgraphs.edge_graph * size + low) * size + high


@dataclass(frozen=True)
class _Pool:
    """For each target, the nodes that may stand in for its head (or tail).

    Attributes:
        nodes: The pools of all targets, some shared.
        starts: [P] where a target's pool begins.
        sizes: [P] how many nodes are in it.
    """

    nodes: Int64s
    starts: Int64s
    sizes: Int64s

    @classmethod
    def of(cls, allowed: Bools, rows: Int64s) -> "_Pool":
        sizes = allowed.sum(axis=1)
        return cls(np.flatnonzero(allowed) % allowed.shape[1], (np.cumsum(sizes) - sizes)[rows], sizes[rows])

    def only(self, targets: Bools) -> "_Pool":
        """The pools of some of the targets."""
        return _Pool(self.nodes, self.starts[targets], self.sizes[targets])

    def draw(self, numbers: npt.NDArray[np.float64]) -> Int64s:
        """[P, K] nodes, uniform over each target's pool, for numbers [P, K] in [0, 1)."""
        picks = (numbers * self.sizes[:, None]).astype(np.int64)
        chosen: Int64s = self.nodes[self.starts[:, None] + picks]
        return chosen
