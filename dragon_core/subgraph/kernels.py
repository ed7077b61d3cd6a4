"""The compiled loops of extraction, over batches of texts; nothing in them is allocated a node.

Texts are ragged: `offsets[i]:offsets[i + 1]` are the entries of text `i`. A graph is an `Adjacency`: its rows are
sorted by neighbour, so that parallel edges lie side by side and a neighbour can be searched for.

Costs (d: degree of a node): candidates take the sum of d over the linked nodes but the one of largest degree, and those
of the largest, or a binary search in its row for each node found so far, whichever is less; edges take for each
node the lesser of its d and a binary search for each of the nodes of higher degree.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]

NOT_IN_HAND = -1
CHOSEN = -2
# In `touched`: the node is one of those whose neighbours are counted.
LINKED = -1
# A step of a binary search costs about as much as so many steps along a row.
STEPS_OF_A_SEARCH = 4


@njit(cache=True, nogil=True)
def gather_linked(
    text_offsets: Array,
    text_nodes: Array,
    text_scores: Array,
    answer_offsets: Array,
    answer_nodes: Array,
    answer_scores: Array,
    place: Array,
    max_nodes: int,
) -> tuple[Array, Array, Array, Array]:
    """The different nodes that each text names, then those that its answer names, each with its best score.

    Ids that are none of the graph's are passed over. What the answer names is the answer's, and is never crowded out.

    Args:
        text_offsets: [S + 1] int64.
        text_nodes: [L] int32 node ids.
        text_scores: [L] float32.
        answer_offsets: [S + 1] int64.
        answer_nodes: [A] int32 node ids.
        answer_scores: [A] float32.
        place: [N] scratch, all `NOT_IN_HAND`; left so.
        max_nodes: Most nodes of a text and its answer.

    Returns:
        Offsets [S + 1]; nodes [M], those of a text in the order of their first appearance, whether each is an answer's
        [M], scores [M].
    """
    offsets = np.zeros(len(text_offsets), np.int64)
    nodes = np.empty(len(text_nodes) + len(answer_nodes), np.int32)
    is_answer = np.empty(len(nodes), np.bool_)
    scores = np.empty(len(nodes), np.float32)
    answers = np.empty(len(answer_nodes), np.int32)
    end = 0
    for text in range(len(text_offsets) - 1):
        start = end
        own_answers = answers[answer_offsets[text] : answer_offsets[text + 1]]
        num_answers = 0
        for entry in range(answer_offsets[text], answer_offsets[text + 1]):
            node = answer_nodes[entry]
            if 0 <= node < len(place) and place[node] == NOT_IN_HAND and num_answers < max_nodes:
                place[node] = CHOSEN
                own_answers[num_answers] = node
                num_answers += 1
        for entry in range(text_offsets[text], text_offsets[text + 1]):
            node = text_nodes[entry]
            if node < 0 or node >= len(place) or place[node] == CHOSEN:
                continue
            if place[node] != NOT_IN_HAND:
                scores[place[node]] = max(scores[place[node]], text_scores[entry])
            elif end - start < max_nodes - num_answers:
                place[node] = end
                nodes[end], is_answer[end], scores[end] = node, False, text_scores[entry]
                end += 1
        for at in range(num_answers):
            node = own_answers[at]
            place[node] = end
            nodes[end], is_answer[end], scores[end] = node, True, 0.0
            end += 1
        for entry in range(answer_offsets[text], answer_offsets[text + 1]):
            node = answer_nodes[entry]
            if 0 <= node < len(place) and place[node] != NOT_IN_HAND:
                scores[place[node]] = max(scores[place[node]], answer_scores[entry])
        for at in range(start, end):
            place[nodes[at]] = NOT_IN_HAND
        offsets[text + 1] = end
    return offsets, nodes[:end], is_answer[:end], scores[:end]


@njit(cache=True, nogil=True)
def find_candidates(
    row_offsets: Array,
    neighbours: Array,
    offsets: Array,
    linked: Array,
    path_length: int,
    hub_cap: int,
    place: Array,
    touched: Array,
    seen: Array,
    first: Array,
) -> tuple[Array, Array, Array]:
    """Nodes on paths between two linked nodes of a text.

    Args:
        row_offsets: [N + 1] of the graph.
        neighbours: [2 E] of the graph.
        offsets: [S + 1] of the texts.
        linked: [L] linked nodes, in a text each once.
        path_length: Most edges of a path, 1 to 3.
        hub_cap: No path is followed from a node with more edges.
        place: [N] scratch, all `NOT_IN_HAND`; left so.
        touched: [N] scratch, all 0; left so.
        seen: [N] scratch.
        first: [N] scratch; needed for a `path_length` of 3 only.

    Returns:
        Offsets [S + 1], candidates [C] of each text sorted by (degree, id), and how many linked nodes each touches.
    """
    found_offsets = np.zeros(len(offsets), np.int64)
    found = np.empty(max(64, 8 * len(linked)), np.int32)
    found_touched = np.empty(len(found), np.int32)
    end = 0
    for text in range(len(offsets) - 1):
        nodes = linked[offsets[text] : offsets[text + 1]]
        if path_length > 1 and len(nodes) > 1:
            for node in nodes:
                touched[node] = LINKED
            count = _touch(row_offsets, neighbours, nodes, path_length, hub_cap, touched, seen, first)
            if path_length == 3:
                _choose_on_paths_of_three(row_offsets, neighbours, seen[:count], hub_cap, place, touched, first)
            chosen = 0
            for at in range(count):
                node = seen[at]
                if touched[node] >= 2 or place[node] == CHOSEN:
                    seen[chosen] = node
                    chosen += 1
                else:
                    touched[node] = 0
            while end + chosen > len(found):
                found = _doubled(found)
                found_touched = _doubled(found_touched)
            ordered = np.sort(seen[:chosen])
            degrees = row_offsets[ordered + 1] - row_offsets[ordered]
            for at in np.argsort(degrees, kind="mergesort"):
                node = ordered[at]
                found[end] = node
                found_touched[end] = touched[node]
                end += 1
                touched[node] = 0
                place[node] = NOT_IN_HAND
            for node in nodes:
                touched[node] = 0
        found_offsets[text + 1] = end
    return found_offsets, found[:end], found_touched[:end]


@njit(cache=True, nogil=True)
def _touch(
    row_offsets: Array,
    neighbours: Array,
    nodes: Array,
    path_length: int,
    hub_cap: int,
    touched: Array,
    seen: Array,
    first: Array,
) -> int:
    """Count into `touched` how many linked nodes neighbour each other node; gives how many nodes `seen` lists."""
    count = 0
    largest = -1
    if path_length == 2:
        # What two linked nodes touch is touched by one that is not the largest.
        for node in nodes:
            degree = row_offsets[node + 1] - row_offsets[node]
            if degree <= hub_cap and (largest < 0 or degree > row_offsets[largest + 1] - row_offsets[largest]):
                largest = node
    for node in nodes:
        if node == largest or row_offsets[node + 1] - row_offsets[node] > hub_cap:
            continue
        previous = -1
        for entry in range(row_offsets[node], row_offsets[node + 1]):
            neighbour = neighbours[entry]
            times = touched[neighbour]
            if neighbour == previous or times == LINKED:
                continue
            previous = neighbour
            if times == 0:
                seen[count] = neighbour
                count += 1
                if path_length == 3:
                    first[neighbour] = node
            touched[neighbour] = times + 1
    if largest >= 0:
        row = neighbours[row_offsets[largest] : row_offsets[largest + 1]]
        if count * STEPS_OF_A_SEARCH * np.log2(len(row) + 1) < len(row):
            for at in range(count):
                entry = np.searchsorted(row, seen[at])
                if entry < len(row) and row[entry] == seen[at]:
                    touched[seen[at]] += 1
        else:
            previous = -1
            for neighbour in row:
                if neighbour != previous and touched[neighbour] > 0:
                    touched[neighbour] += 1
                previous = neighbour
    return count


@njit(cache=True, nogil=True)
def _choose_on_paths_of_three(
    row_offsets: Array, neighbours: Array, seen: Array, hub_cap: int, place: Array, touched: Array, first: Array
) -> None:
    """Mark as `CHOSEN` both inner nodes of each path linked, x, y, linked between two different linked nodes."""
    for x in seen:
        if row_offsets[x + 1] - row_offsets[x] > hub_cap:
            continue
        for entry in range(row_offsets[x], row_offsets[x + 1]):
            y = neighbours[entry]
            if touched[y] > 0 and (touched[x] > 1 or touched[y] > 1 or first[x] != first[y]):
                place[x] = CHOSEN
                place[y] = CHOSEN


@njit(cache=True, nogil=True)
def select(
    offsets: Array,
    linked: Array,
    linked_scores: Array,
    candidate_offsets: Array,
    candidates: Array,
    scores: Array,
    max_nodes: int,
) -> tuple[Array, Array, Array]:
    """Put the linked nodes of each text first, and after them its best candidates up to `max_nodes` in all.

    Args:
        offsets: [S + 1] of the linked nodes.
        linked: [L] linked nodes.
        linked_scores: [L] their scores.
        candidate_offsets: [S + 1] of the candidates.
        candidates: [C] candidates; of equal scores the first are the best.
        scores: [C] their scores.
        max_nodes: Most nodes of a text.

    Returns:
        Offsets [S + 1], nodes [n], scores [n].
    """
    new_offsets = np.zeros(len(offsets), np.int64)
    nodes = np.empty(len(linked) + len(candidates), np.int32)
    node_scores = np.empty(len(nodes), np.float32)
    end = 0
    for text in range(len(offsets) - 1):
        start = end
        for at in range(offsets[text], offsets[text + 1]):
            nodes[end] = linked[at]
            node_scores[end] = linked_scores[at]
            end += 1
        first, last = candidate_offsets[text], candidate_offsets[text + 1]
        order = np.argsort(-scores[first:last], kind="mergesort")
        for at in order[: max(max_nodes - (end - start), 0)]:
            nodes[end] = candidates[first + at]
            node_scores[end] = scores[first + at]
            end += 1
        new_offsets[text + 1] = end
    return new_offsets, nodes[:end], node_scores[:end]


@njit(cache=True, nogil=True)
def find_edges(
    row_offsets: Array, neighbours: Array, relations: Array, offsets: Array, nodes: Array, place: Array
) -> tuple[Array, Array, Array, Array]:
    """All edges among the nodes of each text.

    Args:
        row_offsets: [N + 1] of the graph.
        neighbours: [2 E] of the graph.
        relations: [2 E] of the graph.
        offsets: [S + 1] of the texts.
        nodes: [n] nodes, in a text each once.
        place: [N] scratch, all `NOT_IN_HAND`; left so.

    Returns:
        Offsets [S + 1]; head, relation and tail [m] int16, heads and tails as positions among their text's nodes; in a
        text sorted by head.
    """
    edge_offsets = np.zeros(len(offsets), np.int64)
    heads, kinds, tails = _three(max(64, 8 * len(nodes)))
    found_heads, found_kinds, found_tails = _three(1024)
    in_hand = np.zeros((len(place) >> 6) + 1, np.uint64)
    end = 0
    for text in range(len(offsets) - 1):
        own = nodes[offsets[text] : offsets[text + 1]]
        for at in range(len(own)):
            place[own[at]] = at
            in_hand[own[at] >> 6] |= np.uint64(1) << np.uint64(own[at] & 63)
        found = 0
        order = np.argsort(row_offsets[own + 1] - row_offsets[own], kind="mergesort")
        for rank in range(len(own)):
            at = order[rank]
            node = own[at]
            # An edge is found from its end of lower degree; the other end does not find it again.
            place[node] = NOT_IN_HAND
            in_hand[node >> 6] &= ~(np.uint64(1) << np.uint64(node & 63))
            first, last = row_offsets[node], row_offsets[node + 1]
            while found + last - first > len(found_heads):
                found_heads, found_kinds, found_tails = (
                    _doubled(found_heads),
                    _doubled(found_kinds),
                    _doubled(found_tails),
                )
            others = order[rank + 1 :]
            if len(others) * STEPS_OF_A_SEARCH * np.log2(last - first + 1) < last - first:
                for other in others:
                    entry = first + np.searchsorted(neighbours[first:last], own[other])
                    while entry < last and neighbours[entry] == own[other]:
                        found_heads[found], found_kinds[found], found_tails[found] = at, relations[entry], other
                        found += 1
                        entry += 1
            else:
                for entry in range(first, last):
                    neighbour = neighbours[entry]
                    if in_hand[neighbour >> 6] >> np.uint64(neighbour & 63) & np.uint64(1):
                        found_heads[found], found_kinds[found], found_tails[found] = (
                            at,
                            relations[entry],
                            place[neighbour],
                        )
                        found += 1
        while end + found > len(heads):
            heads, kinds, tails = _doubled(heads), _doubled(kinds), _doubled(tails)
        _sort_by_head(
            found_heads[:found],
            found_kinds[:found],
            found_tails[:found],
            len(own),
            heads[end:],
            kinds[end:],
            tails[end:],
        )
        end += found
        edge_offsets[text + 1] = end
    return edge_offsets, heads[:end], kinds[:end], tails[:end]


@njit(cache=True, nogil=True)
def _sort_by_head(
    from_nodes: Array, kinds: Array, to_nodes: Array, num_nodes: int, heads: Array, relations: Array, tails: Array
) -> None:
    """Write edges in the graph's direction, sorted by head; a negative kind is an edge from `to` to `from`."""
    starts = np.zeros(num_nodes + 1, np.int64)
    for edge in range(len(kinds)):
        head = from_nodes[edge] if kinds[edge] >= 0 else to_nodes[edge]
        starts[head + 1] += 1
    for node in range(num_nodes):
        starts[node + 1] += starts[node]
    for edge in range(len(kinds)):
        head, relation, tail = from_nodes[edge], kinds[edge], to_nodes[edge]
        if relation < 0:
            head, relation, tail = tail, -1 - relation, head
        place = starts[head]
        starts[head] = place + 1
        heads[place], relations[place], tails[place] = head, relation, tail


@njit(cache=True, nogil=True)
def _doubled(array: Array) -> Array:
    larger = np.empty(2 * len(array), array.dtype)
    larger[: len(array)] = array
    return larger


@njit(cache=True, nogil=True)
def _three(length: int) -> tuple[Array, Array, Array]:
    return np.empty(length, np.int16), np.empty(length, np.int16), np.empty(length, np.int16)
