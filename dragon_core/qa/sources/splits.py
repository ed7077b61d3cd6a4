"""The splits of a set; our own, where a published one has none to measure on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from dragon_core.qa.question import Question


@dataclass(frozen=True)
class Splits:
    """The questions of a set, in the order of its files."""

    train: list[Question]
    dev: list[Question]
    test: list[Question]


def without_dev(train: Sequence[Question], test: list[Question]) -> Splits:
    """Take a tenth of `train` as dev: the questions whose ids have the smallest SHA-256.

    So it is the same tenth on every machine and in every order of the file. Published results use other questions.
    """
    by_hash = sorted(train, key=lambda question: hashlib.sha256(question.question_id.encode()).digest())
    held_out = {question.question_id for question in by_hash[: round(len(train) / 10)]}
    return Splits(
        train=[question for question in train if question.question_id not in held_out],
        dev=[question for question in train if question.question_id in held_out],
        test=test,
    )
