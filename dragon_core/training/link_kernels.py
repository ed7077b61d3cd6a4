"""The compiled loops behind link targets, over batches of subgraphs.

The arrays are those of `Subgraphs`: edges are sorted by subgraph, and their ends are positions in it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True)
def same_ends(targets: Array, edge_graph: Array, edge_counts: Array, head: Array, tail: Array, size: int) -> Array:
    """Which edges have the same two ends as a target, in whichever direction.

    Args:
        targets: [P] edges, sorted.
        edge_graph: [m].
        edge_counts: [B].
        head: [m].
        tail: [m].
        size: S, the most nodes of a subgraph.

    Returns:
        [m] booleans; a target is one of them.
    """
    stops = np.cumsum(edge_counts)
    found = np.zeros(len(head), np.bool_)
    is_target = np.zeros((size, size), np.bool_)
    first = 0
    while first < len(targets):
        graph = edge_graph[targets[first]]
        last = first
        while last < len(targets) and edge_graph[targets[last]] == graph:
            is_target[head[targets[last]], tail[targets[last]]] = True
            last += 1
        for edge in range(stops[graph] - edge_counts[graph], stops[graph]):
            found[edge] = is_target[head[edge], tail[edge]] or is_target[tail[edge], head[edge]]
        for target in targets[first:last]:
            is_target[head[target], tail[target]] = False
        first = last
    return found


@njit(cache=True, nogil=True)
def false_ends(
    targets: Array,
    edge_graph: Array,
    edge_counts: Array,
    node_counts: Array,
    head: Array,
    relation: Array,
    tail: Array,
    symmetric: Array,
    size: int,
) -> tuple[Array, Array]:
    """Which nodes make no true edge in the place of a target's head, and in that of its tail.

    Args:
        targets: [P] edges.
        edge_graph: [m].
        edge_counts: [B].
        node_counts: [B], S at most.
        head: [m].
        relation: [m].
        tail: [m].
        symmetric: [relations]; such a relation's edge is true in both directions.
        size: S.

    Returns:
        [P, S] and [P, S] booleans, by position in the subgraph.
    """
    stops = np.cumsum(edge_counts)
    heads = np.zeros((len(targets), size), np.bool_)
    tails = np.zeros((len(targets), size), np.bool_)
    for row, target in enumerate(targets):
        graph = edge_graph[target]
        heads[row, : node_counts[graph]] = True
        tails[row, : node_counts[graph]] = True
        mirrored = symmetric[relation[target]]
        for edge in range(stops[graph] - edge_counts[graph], stops[graph]):
            if relation[edge] != relation[target]:
                continue
            if tail[edge] == tail[target]:
                heads[row, head[edge]] = False
            if head[edge] == head[target]:
                tails[row, tail[edge]] = False
            if mirrored and head[edge] == tail[target]:
                heads[row, tail[edge]] = False
            if mirrored and tail[edge] == head[target]:
                tails[row, head[edge]] = False
    return heads, tails


@njit(cache=True, nogil=True)
def draw(allowed: Array, numbers: Array) -> Array:
    """Draw, uniformly, among what is allowed in each row.

    Args:
        allowed: [P, S] booleans, at least one in a row.
        numbers: [P, K] random numbers in [0, 1).

    Returns:
        [P, K] positions in the row.
    """
    drawn = np.empty(numbers.shape, np.int64)
    positions = np.empty(allowed.shape[1], np.int64)
    for row in range(len(allowed)):
        count = 0
        for position in range(allowed.shape[1]):
            if allowed[row, position]:
                positions[count] = position
                count += 1
        for column in range(numbers.shape[1]):
            drawn[row, column] = positions[int(numbers[row, column] * count)]
    return drawn
