"""What is drawn of a subgraph: which nodes, how large and where, and which lines between them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, sqrt

from dragon_core.qa.explanation.explaining import GraphExplanation
from dragon_core.qa.explanation.layout import place_nodes
from dragon_core.subgraph import NodeType

WIDTH = 480.0
MOST_ATTENDED = 25
MOST_LINKED = 25
SMALLEST, LARGEST = 4.0, 18.0
LETTER, LINE, GAP = 6.4, 15.0, 4.0
NAME_LENGTH = 22
# More names of relations would cover one another.
NAMED_LINES = 9
LINKED_TYPES = (NodeType.LINKED, NodeType.ANSWER)


@dataclass(frozen=True)
class DrawnNode:
    """A node of a picture.

    Attributes:
        position: In the subgraph.
        radius: Its area grows with its attention.
        label: Its name, cut if it is long.
    """

    position: int
    x: float
    y: float
    radius: float
    label: str


@dataclass(frozen=True)
class DrawnLine:
    """The edges between two nodes.

    Attributes:
        start, end: Where it begins and ends, at the nodes' rims.
        forward, backward: Whether an edge points to its end, or to its start.
        relations: Their names.
        sentences: Each edge in words.
        on_path: Whether one of the strongest paths goes along it.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    forward: bool
    backward: bool
    relations: str
    sentences: list[str]
    on_path: bool

    @property
    def label_place(self) -> tuple[float, float]:
        """Middle of the baseline of its relations' names; they stay inside the picture."""
        margin = min(LETTER * len(self.relations) / 2, WIDTH / 2)
        x, y = (self.start[0] + self.end[0]) / 2, (self.start[1] + self.end[1]) / 2
        return min(max(x, margin), WIDTH - margin), y + LETTER / 2


@dataclass(frozen=True)
class Drawing:
    """A picture of a subgraph.

    Attributes:
        lines: Lie under the nodes.
        names_lines: Whether there is room for names of relations.
        hidden: How many nodes are left out.
    """

    width: float
    height: float
    nodes: list[DrawnNode]
    lines: list[DrawnLine]
    names_lines: bool
    hidden: int


def draw(graph: GraphExplanation) -> Drawing:
    """Draw the nodes with most attention, and the linked ones."""
    subgraph, attention = graph.subgraph, graph.attention
    shown = shown_nodes(subgraph.types, attention)
    largest = max((attention[node] for node in shown), default=0.0) or 1.0
    radii = {node: sqrt(SMALLEST**2 + (LARGEST**2 - SMALLEST**2) * attention[node] / largest) for node in shown}
    labels = {node: _cut(subgraph.names[node]) for node in shown}
    sizes = {
        node: (max(2 * radii[node], LETTER * len(labels[node])) + 2 * GAP, 2 * radii[node] + LINE + GAP)
        for node in shown
    }
    height = min(760.0, 60.0 + 20.0 * len(shown))
    edges = [(head, tail) for head, _, tail in subgraph.edges if head in radii and tail in radii]
    places = place_nodes({node: subgraph.types[node] for node in shown}, edges, sizes, (WIDTH, height))
    # A box holds the node above its name.
    centres = {node: (x, y - LINE / 2) for node, (x, y) in places.items()}
    lines = _lines(graph, centres, radii)
    nodes = [DrawnNode(node, *centres[node], radii[node], labels[node]) for node in shown]
    return Drawing(WIDTH, height, nodes, lines, len(lines) <= NAMED_LINES, len(subgraph.names) - len(shown))


def shown_nodes(types: Sequence[NodeType], attention: Sequence[float]) -> list[int]:
    """Positions of the nodes that a picture has room for: those with most attention, and the linked ones."""
    ranked = sorted(range(len(types)), key=lambda node: (-attention[node], node))
    linked = [node for node in ranked if types[node] in LINKED_TYPES]
    return sorted({*ranked[:MOST_ATTENDED], *linked[:MOST_LINKED]})


def _lines(
    graph: GraphExplanation, centres: dict[int, tuple[float, float]], radii: dict[int, float]
) -> list[DrawnLine]:
    between: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, (head, _, tail) in enumerate(graph.subgraph.edges):
        if head in centres and tail in centres:
            between[min(head, tail), max(head, tail)].append(number)
    on_paths = {frozenset(step) for path in graph.paths for step in pairwise(path.nodes)}
    lines = []
    for (low, high), numbers in between.items():
        edges = [graph.subgraph.edges[number] for number in numbers]
        (x0, y0), (x1, y1) = centres[low], centres[high]
        length = hypot(x1 - x0, y1 - y0) or 1.0
        dx, dy = (x1 - x0) / length, (y1 - y0) / length
        lines.append(
            DrawnLine(
                (x0 + dx * radii[low], y0 + dy * radii[low]),
                (x1 - dx * radii[high], y1 - dy * radii[high]),
                any(head == low for head, _, _ in edges),
                any(head == high for head, _, _ in edges),
                ", ".join(dict.fromkeys(relation for _, relation, _ in edges)),
                [graph.subgraph.sentences[number] for number in numbers],
                frozenset((low, high)) in on_paths,
            )
        )
    return lines


def _cut(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1].rstrip()}…"
