"""Prepared questions, read from their table."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bools = npt.NDArray[np.bool_]
Float32s = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

UNKNOWN = -1


@dataclass(frozen=True)
class PreparedQuestions:
    """Q questions, each read as some rows: one a choice or, where the choices are classes, one.

    Attributes:
        ids: Q ids.
        answers: [Q] positions of the right choices; -1 where the answer is not known.
        offsets: [Q + 1] rows of each question.
        rows: The table of rows (`schema.choices_schema`).
    """

    ids: list[str]
    answers: Int64s
    offsets: Int64s
    rows: pa.Table

    @classmethod
    def of(cls, rows: pa.Table) -> Self:
        """The questions of a table, in which the rows of a question stand together."""
        ids = rows["question_id"].to_pylist()
        starts = np.array([i for i, name in enumerate(ids) if i == 0 or name != ids[i - 1]], dtype=np.int64)
        answers = rows["answer"].fill_null(UNKNOWN).to_numpy().astype(np.int64)
        return cls([ids[i] for i in starts], answers[starts], np.append(starts, len(ids)), rows)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def known(self) -> Bools:
        """[Q] whether the right choice is known."""
        return self.answers != UNKNOWN

    @property
    def question_of_row(self) -> Int64s:
        """[rows] the question of each row."""
        return np.repeat(np.arange(len(self)), self.num_rows)

    @property
    def right_rows(self) -> Int64s:
        """[known questions] the row of the right choice, or the only row."""
        return (self.offsets[:-1] + np.where(self.num_rows == 1, 0, self.answers))[self.known]

    @property
    def num_rows(self) -> Int64s:
        """[Q] rows of each question."""
        return np.diff(self.offsets)

    @property
    def lengths(self) -> Int64s:
        """[Q] characters of the questions with their contexts and longest rows, to sort by."""
        characters = [[len(text) for text in self.rows[name].to_pylist()] for name in ("question", "context", "text")]
        return np.maximum.reduceat(np.sum(characters, axis=0), self.offsets[:-1])

    def subset(self, questions: Int64s) -> Self:
        """Some of the questions."""
        places = self.rows_of(questions)
        offsets = np.array([0, *accumulate(self.num_rows[questions].tolist())])
        return type(self)([self.ids[i] for i in questions], self.answers[questions], offsets, self.rows.take(places))

    def rows_of(self, questions: Int64s) -> Int64s:
        """Where the rows of some questions stand."""
        return np.concatenate([np.arange(self.offsets[i], self.offsets[i + 1]) for i in questions])
