"""Nodes are drawn inside the picture and apart, and the same way each time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dragon_core.qa.explanation.drawing import MOST_ATTENDED, MOST_LINKED, draw, shown_nodes
from dragon_core.qa.explanation.layout import place_nodes
from dragon_core.subgraph import NodeType
from tests.qa.explanation.examples import milk

PICTURE = (480.0, 500.0)
SIZE = (60.0, 30.0)


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(NodeType), max_size=20),
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40),
)
def test_nodes_lie_inside_and_apart(types: list[NodeType], edges: list[tuple[int, int]]) -> None:
    within = [(head, tail) for head, tail in edges if max(head, tail) < len(types)]
    sizes = dict.fromkeys(range(len(types)), SIZE)
    places = place_nodes(dict(enumerate(types)), within, sizes, PICTURE)
    assert places == place_nodes(dict(enumerate(types)), within, sizes, PICTURE)
    assert list(places) == list(range(len(types)))
    for node, (x, y) in places.items():
        assert SIZE[0] / 2 - 1e-6 <= x <= PICTURE[0] - SIZE[0] / 2 + 1e-6
        assert SIZE[1] / 2 - 1e-6 <= y <= PICTURE[1] - SIZE[1] / 2 + 1e-6
        for other in range(node):
            apart = abs(x - places[other][0]) > 0.8 * SIZE[0] or abs(y - places[other][1]) > 0.8 * SIZE[1]
            assert apart, (node, other)


def test_the_question_is_left_of_the_choice() -> None:
    types = {0: NodeType.LINKED, 1: NodeType.OTHER, 2: NodeType.OTHER, 3: NodeType.ANSWER}
    places = place_nodes(types, [(0, 1), (1, 2), (2, 3)], dict.fromkeys(types, SIZE), PICTURE)
    assert sorted(types, key=lambda node: places[node][0]) == [0, 1, 2, 3]


def test_what_has_little_attention_and_is_not_named_is_left_out() -> None:
    types = [NodeType.LINKED] * 40 + [NodeType.ANSWER] * 2 + [NodeType.OTHER] * 100
    attention = [0.001 * node for node in range(len(types))]
    shown = shown_nodes(types, attention)
    assert shown == [*range(42 - MOST_LINKED, 42), *range(142 - MOST_ATTENDED, 142)]


def test_area_is_as_attention() -> None:
    graph = milk().graphs[0]
    drawing = draw(graph)
    ranked = sorted(drawing.nodes, key=lambda node: graph.attention[node.position])
    areas = [node.radius**2 for node in ranked]
    assert areas == sorted(areas)
    assert areas[0] < areas[-1]
