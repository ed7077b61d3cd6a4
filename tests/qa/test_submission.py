import csv
import io
import json
from typing import Any

import pyarrow as pa
import pytest

from dragon_core.qa import QuestionError, make_submission
from dragon_core.qa.schema import PREDICTIONS, QUESTIONS


def tables(predicted: dict[str, int], labels: str, choices: list[str] | None = None) -> tuple[pa.Table, pa.Table]:
    """Questions in the given order, and predictions in another."""
    questions, predictions = list[dict[str, Any]](), list[dict[str, Any]]()
    for question_id, position in predicted.items():
        texts = choices or [f"choice {label}" for label in labels]
        own = {"question_id": question_id, "question": "?", "context": "", "labels": list(labels), "answer": None}
        questions.append(own | {"choices": texts})
        predictions.append({"question_id": question_id, "answer": None, "predicted": position, "probabilities": []})
    return pa.Table.from_pylist(questions, QUESTIONS), pa.Table.from_pylist(predictions[::-1], PREDICTIONS)


@pytest.mark.parametrize("source", ["commonsenseqa", "openbookqa", "arc", "qasc"])
def test_sets_with_labelled_choices_take_an_id_and_a_label_a_line(source: str) -> None:
    submission = make_submission(source, *tables({"x1": 2, "x2": 0}, "ABCD"))
    assert (submission.name, submission.text) == ("predictions.csv", "x1,C\nx2,A\n")


def test_arc_takes_the_labels_that_each_question_has() -> None:
    letters, digits = tables({"x1": 2}, "ABC"), tables({"x2": 3}, "1234")
    questions, predictions = (pa.concat_tables(pair) for pair in zip(letters, digits, strict=True))
    assert make_submission("arc", questions, predictions).text == "x1,C\nx2,4\n"


def test_riddlesense_takes_lines_of_json() -> None:
    submission = make_submission("riddlesense", *tables({"x1": 4}, "ABCDE"))
    assert (submission.name, submission.text) == ("predictions.jsonl", '{"id": "x1", "answerKey": "E"}\n')


@pytest.mark.parametrize(("source", "labels", "text"), [("socialiqa", "123", "2\n1\n"), ("piqa", "01", "1\n0\n")])
def test_sets_without_ids_take_a_label_a_line_in_the_order_of_the_file(source: str, labels: str, text: str) -> None:
    submission = make_submission(source, *tables({"tests-1": 1, "tests-2": 0}, labels))
    assert (submission.name, submission.text) == ("predictions.lst", text)
    with pytest.raises(QuestionError, match="line 2 of the questions is missing: the next is tests-3"):
        make_submission(source, *tables({"tests-1": 1, "tests-3": 0}, labels))


def test_medmcqa_takes_options_from_one_below_a_header() -> None:
    submission = make_submission("medmcqa", *tables({"x1": 3, "x2": 0}, "1234"))
    assert list(csv.reader(io.StringIO(submission.text))) == [
        ["id", "Prediction (correct option)"],
        ["x1", "4"],
        ["x2", "1"],
    ]


def test_pubmedqa_and_bioasq_take_decisions() -> None:
    questions = tables({"123": 2, "45": 0}, "", ["yes", "no", "maybe"])
    assert json.loads(make_submission("pubmedqa", *questions).text) == {"123": "maybe", "45": "yes"}
    submission = make_submission("bioasq", *tables({"5a": 1}, "", ["yes", "no"]))
    assert json.loads(submission.text) == {"questions": [{"id": "5a", "type": "yesno", "exact_answer": "no"}]}


def test_predictions_of_other_questions_are_one_sentence() -> None:
    questions, _ = tables({"x1": 0, "x2": 0}, "AB")
    _, predictions = tables({"x1": 0, "x3": 0}, "AB")
    with pytest.raises(QuestionError, match="2 ids are in one of them alone, x2 among them"):
        make_submission("arc", questions, predictions)


def test_a_set_without_leaderboard_is_one_sentence() -> None:
    with pytest.raises(QuestionError, match="not known how the source 'own' takes submissions; it is for arc, bioasq"):
        make_submission("own", *tables({"x1": 0}, "AB"))
