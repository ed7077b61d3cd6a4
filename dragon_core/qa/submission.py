"""Predictions in the form in which the leaderboard of a question set takes them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from dragon_core.qa.errors import QuestionError


@dataclass(frozen=True)
class Prediction:
    """What is submitted of a question.

    Attributes:
        question_id: Its id.
        label: The set's label of the predicted choice; its text if choices have no labels.
    """

    question_id: str
    label: str


@dataclass(frozen=True)
class Submission:
    """A file for a leaderboard.

    Attributes:
        name: What it is called.
        text: What is in it.
    """

    name: str
    text: str


def make_submission(source: str, questions: pa.Table, predictions: pa.Table) -> Submission:
    """The file that a leaderboard takes.

    Args:
        source: Which set it is, as in the parameters of `ReadQuestions`.
        questions: A split, usually test, with the schema `QUESTIONS`.
        predictions: Predictions of this split, with the schema `PREDICTIONS`, in any order.

    Raises:
        QuestionError: The set has no leaderboard that is known here, a question has no prediction or a prediction no
            question, or a file by line would lack lines.
    """
    if source not in _FORMS:
        raise QuestionError(
            f"It is not known how the source {source!r} takes submissions; it is for {', '.join(sorted(_FORMS))}."
        )
    name, write = _FORMS[source]
    return Submission(name, write(_predicted(questions, predictions)))


def _predicted(questions: pa.Table, predictions: pa.Table) -> list[Prediction]:
    chosen = dict(zip(*(predictions[name].to_pylist() for name in ("question_id", "predicted")), strict=True))
    rows = questions.select(["question_id", "choices", "labels"]).to_pylist()
    ids = {row["question_id"] for row in rows}
    if differing := sorted(ids ^ chosen.keys()):
        raise QuestionError(
            f"The predictions are not those of the questions: {len(differing)} ids are in one of them alone,"
            f" {differing[0]} among them. Give the predictions of this split."
        )
    return [
        Prediction(row["question_id"], (row["labels"] or row["choices"])[chosen[row["question_id"]]]) for row in rows
    ]


def _csv(predictions: Sequence[Prediction]) -> str:
    return "".join(f"{prediction.question_id},{prediction.label}\n" for prediction in predictions)


def _medmcqa_csv(predictions: Sequence[Prediction]) -> str:
    return f"id,Prediction (correct option)\n{_csv(predictions)}"


def _json_lines(predictions: Sequence[Prediction]) -> str:
    rows = ({"id": prediction.question_id, "answerKey": prediction.label} for prediction in predictions)
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _labels_by_line(predictions: Sequence[Prediction]) -> str:
    for line, prediction in enumerate(predictions, start=1):
        if prediction.question_id.rpartition("-")[2] != str(line):
            raise QuestionError(
                f"The leaderboard takes a label a line, and line {line} of the questions is missing: the next is"
                f" {prediction.question_id}. Mend the file that the questions were read from; the rejects tell what is"
                " wrong."
            )
    return "".join(f"{prediction.label}\n" for prediction in predictions)


def _json_by_id(predictions: Sequence[Prediction]) -> str:
    return json.dumps({prediction.question_id: prediction.label for prediction in predictions}, indent=4) + "\n"


def _bioasq_json(predictions: Sequence[Prediction]) -> str:
    rows = [
        {"id": prediction.question_id, "type": "yesno", "exact_answer": prediction.label} for prediction in predictions
    ]
    return json.dumps({"questions": rows}, indent=2) + "\n"


_FORMS: dict[str, tuple[str, Callable[[Sequence[Prediction]], str]]] = {
    "commonsenseqa": ("predictions.csv", _csv),
    "openbookqa": ("predictions.csv", _csv),
    "arc": ("predictions.csv", _csv),
    "qasc": ("predictions.csv", _csv),
    "riddlesense": ("predictions.jsonl", _json_lines),
    "socialiqa": ("predictions.lst", _labels_by_line),
    "piqa": ("predictions.lst", _labels_by_line),
    "medmcqa": ("predictions.csv", _medmcqa_csv),
    "pubmedqa": ("predictions.json", _json_by_id),
    "bioasq": ("predictions.json", _bioasq_json),
}

LEADERBOARDS = frozenset(_FORMS)
