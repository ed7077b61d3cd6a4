"""A fine-tuned model answers as it was evaluated, whatever else is asked with a question, and line by line."""

import json
from collections.abc import Iterator
from itertools import count

import numpy as np
import pyarrow.parquet as pq
import pytest

from dragon_core.artifacts import Artifact, ArtifactStore, make
from dragon_core.qa import ArmParams, FineTune, PrepareQuestions, QuestionError, Report
from dragon_core.qa.answering import QuestionAnswerer
from dragon_core.qa.finetuning import PREDICTIONS_NAME
from dragon_core.qa.preparer import PreparationParams
from dragon_core.qa.question import Question
from dragon_core.qa.question_lines import answer_lines
from dragon_core.qa.schema import split_name
from tests.qa.doors import Classes


def opened(store: ArtifactStore, artifact: Artifact) -> QuestionAnswerer:
    return QuestionAnswerer.open(str(artifact.reference), store.url)


@pytest.fixture(scope="module")
def answerer(store: ArtifactStore, arms: dict[str, Artifact]) -> QuestionAnswerer:
    return opened(store, arms["dragon"])


@pytest.mark.parametrize("arm", ["dragon", "lm"])
def test_it_answers_as_the_stage_predicted(store: ArtifactStore, arms: dict[str, Artifact], arm: str) -> None:
    rows = pq.read_table(arms["questions"].path(split_name("test"))).to_pylist()
    questions = [Question(**row) for row in rows]
    answers = list(opened(store, arms[arm]).answers(questions, batch_size=7))
    predicted = pq.read_table(arms[arm].path(PREDICTIONS_NAME))["probabilities"].to_pylist()
    assert [answer.question for answer in answers] == questions
    np.testing.assert_allclose([answer.probabilities for answer in answers], predicted, atol=1e-5)


def test_one_question_is_asked_in_words(answerer: QuestionAnswerer) -> None:
    answer = answerer("key7", ["door3", "door7", "door9"])
    assert (answer.text, answer.position) == ("door7", 1)
    assert answer.probability == max(answer.probabilities) > 0.9
    assert sum(answer.probabilities) == pytest.approx(1)


def test_a_text_without_a_concept_is_answered(answerer: QuestionAnswerer) -> None:
    # Of two texts that read the same the model has nothing to choose by.
    assert answerer("What is it?", ["this", " this"]).probabilities == pytest.approx([0.5, 0.5])


def test_a_context_names_concepts_too(answerer: QuestionAnswerer) -> None:
    assert answerer("which", ["door3", "door7"], context="it is key7").text == "door7"
    assert answerer("which", ["door3", "door7"], context="it is key3").text == "door3"


def test_questions_may_have_different_numbers_of_choices_and_the_same_id(answerer: QuestionAnswerer) -> None:
    questions = [answerer.question("key1", [f"door{i}" for i in range(size)]) for size in (2, 5, 3)]
    together = list(answerer.answers(questions))
    for question, answer in zip(questions, together, strict=True):
        alone = answerer(question.question, question.choices)
        assert answer.probabilities == pytest.approx(alone.probabilities, abs=1e-5)


@pytest.mark.parametrize(
    ("question", "choices", "reason"),
    [
        ("key1", ["door1"], "two or more choices, not 1"),
        ("key1", [], "two or more choices, not 0"),
        (" ", ["door1", "door2"], "empty"),
        ("key1", ["door1", ""], "empty"),
    ],
)
def test_what_is_no_question_is_refused(
    answerer: QuestionAnswerer, question: str, choices: list[str], reason: str
) -> None:
    with pytest.raises(QuestionError, match=reason):
        answerer(question, choices)


def test_only_a_fine_tuned_model_answers(store: ArtifactStore, arms: dict[str, Artifact]) -> None:
    with pytest.raises(QuestionError, match="is no fine-tuned model; give finetuned/KEY or evaluation/KEY"):
        opened(store, arms["prepared"])


def test_the_model_of_an_evaluation_is_the_one_that_it_is_about(
    store: ArtifactStore, arms: dict[str, Artifact]
) -> None:
    runs = {arm: (arms[arm].reference,) for arm in ("lm", "dragon")}
    evaluation = make(Report(questions=arms["prepared"].reference, arms=runs), store)
    assert opened(store, evaluation).name == arms["dragon"].reference


def test_a_model_whose_questions_another_version_prepared_is_refused(
    store: ArtifactStore, arms: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PrepareQuestions, "version", 1)
    with pytest.raises(QuestionError, match=r"by another version of this program \(this one would make prepared-"):
        opened(store, arms["dragon"])


def test_choices_that_are_classes_may_be_left_out(store: ArtifactStore, arms: dict[str, Artifact]) -> None:
    start = {name: arms["dragon"].manifest.origin(name) for name in ("graph", "entity_table", "checkpoint")}
    yes_no = make(Classes(), store).reference
    linker = arms["prepared"].manifest.origin("linker")
    params = PreparationParams(subgraphs={"relevance": "degree"}, classes=("yes", "no"))
    prepared = make(PrepareQuestions(questions=yes_no, graph=start["graph"], linker=linker, params=params), store)
    tuned = make(
        FineTune(
            questions=prepared.reference, **start, params=ArmParams(epochs=16, patience=16, new_learning_rate=3e-3)
        ),
        store,
    )
    answerer = opened(store, tuned)
    assert answerer("Does key3 open door3?").text == "yes"
    assert answerer("Does key3 open door4?", ["yes", "no"]).text == "no"
    with pytest.raises(QuestionError, match="which are yes, no in this order"):
        answerer("Does key3 open door3?", ["no", "yes"])


def test_lines_are_answered_in_order_and_bad_ones_are_rejected_alone(answerer: QuestionAnswerer) -> None:
    good = {"id": 5, "question": "key5", "choices": ["door4", "door5"], "answer": "door5"}
    lines = [
        b"\xef\xbb\xbf" + json.dumps(good | {"context": None}).encode(),
        b'{"id": "half", "question": "key5"',
        b"",
        b'{"id": "none", "question": "key5", "choices": "door5"}',
        b'{"id": "one", "question": "key5", "choices": ["door5"]}',
        b'{"id": "\xff", "question": "key5", "choices": ["door4", "door5"]}',
        b'{"id": "\\ud800", "question": "key5", "choices": ["door4", "door5"]}',
        b'["key5"]',
        json.dumps(good | {"id": "last", "question": "which", "context": "key4"}).encode(),
    ]
    rejects: dict[int, str] = {}
    found = [json.loads(line) for line in answer_lines(answerer, lines, rejects.__setitem__)]
    assert [(line["id"], line["answer"], line["position"]) for line in found] == [
        ("5", "door5", 1),
        ("last", "door4", 0),
    ]
    assert sum(found[0]["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert list(rejects) == [2, 4, 5, 6, 7, 8]
    assert rejects[4].startswith("choices: ")
    assert "two or more" in rejects[5]


def test_no_more_lines_are_taken_than_a_batch_needs(answerer: QuestionAnswerer) -> None:
    taken = count()

    def endless() -> Iterator[bytes]:
        while True:
            next(taken)
            yield b'{"id": 1, "question": "key5", "choices": ["door4", "door5"]}'

    answers = answer_lines(answerer, endless(), lambda number, reason: None, batch_size=3)
    for _ in range(4):
        next(answers)
    assert next(taken) == 6
