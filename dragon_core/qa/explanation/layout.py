"""Where the nodes of a subgraph are drawn: near their neighbours, question left, choice right, no name over another."""

from collections.abc import Collection, Mapping, Sequence

import networkx as nx
import numpy as np
import numpy.typing as npt

from dragon_core.subgraph import NodeType

Float64s = npt.NDArray[np.float64]

STARTS = {NodeType.LINKED: -1.0, NodeType.OTHER: 0.0, NodeType.ANSWER: 1.0}
HUB = -1
ROUNDS = 300


def place_nodes(
    types: Mapping[int, NodeType],
    edges: Collection[tuple[int, int]],
    sizes: Mapping[int, tuple[float, float]],
    picture: tuple[float, float],
) -> dict[int, tuple[float, float]]:
    """Centres of nodes; the same for the same arguments.

    Args:
        types: Of each node to be drawn.
        edges: Pairs of such nodes.
        sizes: Width and height of each node with its name.
        picture: Width and height; all nodes lie inside, if there is room.
    """
    nodes = list(types)
    if not nodes:
        return {}
    places = _by_edges(nodes, types, edges)
    places = _question_left(places, [types[node] for node in nodes])
    boxes = np.array([sizes[node] for node in nodes])
    return dict(zip(nodes, map(tuple, _apart(_fitted(places, boxes, picture), boxes, picture).tolist()), strict=True))


def _by_edges(nodes: Sequence[int], types: Mapping[int, NodeType], edges: Collection[tuple[int, int]]) -> Float64s:
    graph = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    # Parts without an edge between them hang on a node that is not drawn: else each would have a layout of its own.
    parts = [sorted(part) for part in nx.connected_components(graph)]
    graph.add_edges_from((HUB, part[0]) for part in parts if len(parts) > 1)
    angles = {node: 2 * np.pi * i / len(nodes) for i, node in enumerate(nodes)}
    start = {node: (STARTS[types[node]] + 0.3 * np.cos(angles[node]), np.sin(angles[node])) for node in nodes}
    found = nx.kamada_kawai_layout(graph, pos=start | {HUB: (0.0, 0.0)} if HUB in graph else start)
    return np.array([found[node] for node in nodes])


def _question_left(places: Float64s, types: Sequence[NodeType]) -> Float64s:
    """Turn the picture so that the way from the question's nodes to the choice's goes to the right."""
    kinds = np.array(types)
    middle = places.mean(0)
    question, choice = (
        places[kinds == kind].mean(0) if (kinds == kind).any() else middle
        for kind in (NodeType.LINKED, NodeType.ANSWER)
    )
    x, y = choice - question
    length = float(np.hypot(x, y))
    if length < 1e-9:
        return places
    return (places - middle) @ np.array([[x, -y], [y, x]]) / length


def _fitted(places: Float64s, boxes: Float64s, picture: tuple[float, float]) -> Float64s:
    low, high = places.min(0), places.max(0)
    extent = np.where(high - low > 1e-9, high - low, 1.0)
    share = np.where(high - low > 1e-9, (places - low) / extent, 0.5)
    margin = boxes / 2
    return np.asarray(margin + share * (np.array(picture) - 2 * margin))


def _apart(places: Float64s, boxes: Float64s, picture: tuple[float, float]) -> Float64s:
    """Move nodes whose boxes overlap apart, along the axis on which they overlap less."""
    needed = (boxes[:, None] + boxes[None]) / 2
    order = np.sign(np.arange(len(places))[:, None] - np.arange(len(places))[None])[..., None]
    for _ in range(ROUNDS):
        difference = places[:, None] - places[None]
        overlap = np.maximum(needed - np.abs(difference), 0)
        overlap[np.eye(len(places), dtype=bool)] = 0
        both = np.all(overlap > 0, axis=-1)
        if not both.any():
            break
        # Where one lies exactly on another, the later one goes right and down.
        direction = np.where(difference == 0, order, np.sign(difference))
        axis = overlap.argmin(-1)[..., None] == np.arange(2)
        places = places + 0.3 * (overlap * direction * axis * both[..., None]).sum(1)
        places = np.clip(places, boxes / 2, np.maximum(np.array(picture) - boxes / 2, boxes / 2))
    return places
