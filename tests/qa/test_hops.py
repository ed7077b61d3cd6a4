"""How far question and answer are apart, against networkx."""

from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.qa.dataset import PreparedQuestions
from dragon_core.qa.hops import NO_PATH, Ends
from tests.qa.evaluations import ANSWER, LINKED, NO_GRAPH, OTHER, SCHEMA, choices, graph


def asked(rows: list[dict[str, Any]]) -> PreparedQuestions:
    return PreparedQuestions.of(pa.Table.from_pylist(rows, schema=SCHEMA))


@st.composite
def subgraphs(draw: st.DrawFn) -> tuple[dict[int, Any], list[tuple[int, int]]]:
    ids = draw(st.lists(st.integers(0, 30), unique=True, max_size=9))
    types = {node: draw(st.sampled_from([LINKED, ANSWER, OTHER, OTHER])) for node in ids}
    ends = st.sampled_from(ids) if ids else st.nothing()
    edges = (
        draw(st.lists(st.tuples(ends, ends).filter(lambda edge: edge[0] != edge[1]), max_size=10)) if ids[1:] else []
    )
    return types, edges


def naive(types: dict[int, Any], also_in_question: set[int], edges: list[tuple[int, int]]) -> tuple[int, int, bool]:
    """Entities, hops, and whether an edge leads from question to answer."""
    network = nx.Graph(edges)
    network.add_nodes_from(types)
    question = {node for node, kind in types.items() if kind == LINKED or node in also_in_question}
    answer = {node for node, kind in types.items() if kind == ANSWER}
    lengths = [
        nx.shortest_path_length(network, one, other)
        for one in question
        for other in answer
        if nx.has_path(network, one, other)
    ]
    neighbours = any({*edge} & question and {*edge} & answer and _crosses(edge, question, answer) for edge in edges)
    return len(question | answer), min(lengths, default=NO_PATH), neighbours


def _crosses(edge: tuple[int, int], question: set[int], answer: set[int]) -> bool:
    head, tail = edge
    return (head in question and tail in answer) or (tail in question and head in answer)


@given(st.lists(st.tuples(subgraphs(), subgraphs(), st.sampled_from([0, 1, None])), max_size=5))
def test_hops_are_shortest_paths(drawn: list[Any]) -> None:
    rows = [
        row
        for number, (one, other, answer) in enumerate(drawn)
        for row in choices(str(number), answer=answer, graphs=(graph(*one), graph(*other)))
    ]
    ends = Ends(asked(rows))
    expected = []
    for one, other, answer in drawn:
        if answer is not None:
            right, wrong = (one, other) if answer == 0 else (other, one)
            expected.append(naive(right[0], {node for node, kind in wrong[0].items() if kind == LINKED}, right[1]))
    found = zip(ends.entities.tolist(), ends.hops.tolist(), ends.are_neighbours.tolist(), strict=True)
    assert list(found) == expected


def test_a_node_that_both_name_is_no_hop_away() -> None:
    right, wrong = graph({7: ANSWER, 8: LINKED}, []), graph({7: LINKED, 8: LINKED}, [])
    assert Ends(asked(choices("q", graphs=(right, wrong)))).hops.tolist() == [0]


def test_a_question_of_one_row_is_read_and_leads_nowhere_without_an_answer_node() -> None:
    rows = choices("a", answer=2, graphs=(graph({1: LINKED, 2: OTHER}, [(1, 2)]),)) + choices("b", graphs=(NO_GRAPH,))
    questions = asked(rows)
    assert questions.right_rows.tolist() == [0, 1]
    ends = Ends(questions)
    assert ends.hops.tolist() == [NO_PATH, NO_PATH]
    assert ends.entities.tolist() == [1, 0]
    assert not ends.are_neighbours.any()


def test_questions_without_known_answers_are_told_apart() -> None:
    questions = asked(choices("a", answer=None) + choices("b", answer=1))
    assert questions.ids == ["a", "b"]
    assert questions.known.tolist() == [False, True]
    assert questions.right_rows.tolist() == [3]
    assert np.array_equal(questions.question_of_row, [0, 0, 1, 1])
    assert len(asked([])) == 0
