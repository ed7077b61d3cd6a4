from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.graph.wordnet.files import Pointer, Synset, WordNet
from dragon_core.qa.generated import generate_questions, is_fit, names_itself
from dragon_core.qa.question import Question


def synset(number: int, words: list[str], definition: str, parent: int | None = None) -> Synset:
    pointers = [] if parent is None else [Pointer("@", f"n{parent:08}", 0, 0)]
    return Synset(f"n{number:08}", "n", words, "noun.animal", definition, [], pointers)


TREE = [
    synset(0, ["animal"], "a living organism that can move"),
    synset(1, ["dog", "domestic dog"], "it barks and guards the house", 0),
    synset(2, ["cat"], "it purrs and catches small mice", 0),
    synset(3, ["cow"], "it gives milk and eats much grass", 0),
    synset(4, ["horse", "dog"], "it carries people over long distances", 0),
    synset(5, ["painter"], "somebody who paints one picture after another", 0),
    synset(6, ["bee"], "it stings", 0),
    synset(7, ["wasp"], "it stings and gives no honey", 0),
    synset(8, ["stone"], "a hard thing found in the ground"),
]
WORDNET = WordNet({s.id: s for s in TREE}, {}, [])


def questions(held_out: list[int], num_choices: int = 3, seed: int = 0) -> list[Question]:
    return list(generate_questions(WORDNET, [f"n{n:08}" for n in held_out], num_choices, seed))


@pytest.mark.parametrize(("number", "fit"), [(1, True), (5, False), (6, False)])
def test_a_definition_is_asked_if_it_is_long_enough_and_names_nothing_it_defines(number: int, fit: bool) -> None:
    assert is_fit(TREE[number]) is fit


def test_forms_and_parts_of_the_answer_count_as_naming_it() -> None:
    assert names_itself(synset(9, ["wood-carver"], "somebody who carves things"))
    assert names_itself(synset(9, ["mouse", "rodent"], "small rodents with long tails"))
    assert not names_itself(synset(9, ["in the main"], "for the most part of the time"))


@given(st.integers(0, 1000), st.integers(2, 4))
def test_distractors_are_fit_siblings_and_never_synonyms(seed: int, num_choices: int) -> None:
    asked = questions(list(range(9)), num_choices, seed)
    assert {question.question_id for question in asked} <= {s.id for s in TREE if is_fit(s)}
    for question in asked:
        answer = WORDNET.synsets[question.question_id]
        assert question.answer is not None
        assert question.question == answer.definition
        assert question.choices[question.answer] == answer.lemmas[0]
        assert len(set(question.choices)) == num_choices
        fit = {s.lemmas[0] for s in TREE[1:8] if is_fit(s)}
        assert set(question.choices) <= fit
        # A sibling that is also called a dog is no wrong answer to the question about the dog.
        if question.choices[question.answer] in {"dog", "horse"}:
            assert not {"dog", "horse"} <= set(question.choices)
    assert asked == questions(list(range(9)), num_choices, seed)


def test_only_held_out_definitions_are_asked_and_equal_ones_once() -> None:
    assert [question.question_id for question in questions([2])] == ["n00000002"]
    twin = replace(TREE[2], id="n00000010", words=["puss"])
    wordnet = WordNet({**WORDNET.synsets, twin.id: twin}, {}, [])
    assert len(list(generate_questions(wordnet, ["n00000002", "n00000010"], 3, 0))) == 1


def test_a_synset_without_enough_siblings_is_passed_over() -> None:
    assert questions([8]) == []
    assert questions([2], num_choices=7) == []
