from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.qa.analysis import group_questions, negates
from dragon_core.qa.dataset import PreparedQuestions
from tests.qa.evaluations import ANSWER, LINKED, NO_GRAPH, OTHER, SCHEMA, choices, graph


def groups_of(rows: list[dict[str, Any]]) -> dict[str, dict[str, list[int]]]:
    """Numbers of the questions in each group."""
    groups = group_questions(PreparedQuestions.of(pa.Table.from_pylist(rows, schema=SCHEMA)))
    return {way: {title: np.flatnonzero(who).tolist() for title, who in of.items()} for way, of in groups.items()}


def about(questions: list[str]) -> dict[str, dict[str, list[int]]]:
    return groups_of([row for n, text in enumerate(questions) for row in choices(str(n), text)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("which is not a fruit?", True),
        ("what doesn't float?", True),
        ("it is never warm in", True),
        ("all of these except", True),
        ("which is the least likely cause?", True),
        ("which is the most likely cause?", False),
        ("what is at least likewise large?", False),
        ("what is nothingness, a knot, or a note?", False),
        ("he has no fever", True),
    ],
)
def test_negation_goes_by_whole_words_and_phrases(text: str, expected: bool) -> None:
    assert negates([text]).tolist() == [expected]


def test_questions_are_grouped_by_their_words() -> None:
    groups = about(
        [
            "What is it",
            "What CAN’T it be",
            "What may it be, a fish or a bird",
            "What is in the box on the table at the door",
            "Where is the lamp of a house",
            "What is a house in the wood without a lamp",
        ],
    )
    assert groups["negation"] == {"with": [1, 5], "without": [0, 2, 3, 4]}
    assert groups["conjunction"] == {"with": [2], "without": [0, 1, 3, 4, 5]}
    assert groups["hedge"] == {"with": [2], "without": [0, 1, 3, 4, 5]}
    assert groups["prepositions"] == {"0": [0, 1, 2], "1": [4], "2": [5], "3 or more": [3]}
    assert groups["words of the question"] == {"up to 4": [0, 1], "5 to 9": [2, 4], "10 or more": [3, 5]}
    assert set(groups) == {"negation", "conjunction", "hedge", "prepositions", "words of the question"}


def test_questions_are_grouped_by_their_graphs() -> None:
    direct = graph({1: LINKED, 2: ANSWER}, [(2, 1)])
    bridged = graph({1: LINKED, 2: ANSWER, 3: OTHER}, [(1, 3), (2, 3)])
    apart = graph(dict.fromkeys(range(8), LINKED) | {9: ANSWER}, [])
    rows = [
        row for n, right in enumerate((direct, bridged, apart)) for row in choices(str(n), graphs=(right, NO_GRAPH))
    ]
    groups = groups_of(rows)
    assert groups["hops from question to answer"] == {"1": [0], "2": [1], "no path": [2]}
    assert groups["edge between question and answer"] == {"yes": [0], "no": [1, 2]}
    assert groups["entities of question and answer"] == {"up to 5": [0, 1], "6 to 10": [2]}


def test_a_way_that_has_one_group_is_left_out() -> None:
    assert about(["what is it", "what is it"]) == {}


@given(st.lists(st.text(alphabet="ab no in", max_size=40), min_size=1, max_size=20))
def test_each_question_is_in_one_group_of_each_way(questions: list[str]) -> None:
    for groups in about(questions).values():
        assert len(groups) > 1
        assert all(groups.values())
        assert sorted(number for members in groups.values() for number in members) == list(range(len(questions)))
