"""Prepared questions as batches of a multiple-choice model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import PreTrainedTokenizerBase

from dragon_core.training import GraphCollator, GraphSentences, Subgraphs

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PreparedQuestions:
    """Q questions with C choices each.

    Attributes:
        ids: Q ids.
        answers: [Q] positions of the right choices.
        num_choices: C.
        choices: The table of choices (`schema.CHOICES`), C rows a question.
    """

    ids: list[str]
    answers: Int64s
    num_choices: int
    choices: pa.Table

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a split."""
        table = pq.read_table(path)
        ids = table["question_id"].to_pylist()
        distinct = list(dict.fromkeys(ids))
        num_choices = len(ids) // max(len(distinct), 1)
        return cls(distinct, np.asarray(table["answer"])[:: max(num_choices, 1)].astype(np.int64), num_choices, table)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> Int64s:
        """[Q] characters of the questions, to sort by."""
        return np.array([len(text) for text in self.choices["question"].to_pylist()[:: self.num_choices]])


class QuestionCollator:
    """Makes batches of questions: a text and, for a model that reads it, a subgraph or its sentences a choice."""

    def __init__(
        self,
        questions: PreparedQuestions,
        tokenizer: PreTrainedTokenizerBase,
        graphs: GraphCollator | None,
        length: int,
        sentences: GraphSentences | None = None,
    ) -> None:
        self._questions = questions
        self._tokenizer = tokenizer
        self._graphs = graphs
        self._length = length
        self._sentences = sentences

    def __call__(self, examples: Int64s) -> dict[str, torch.Tensor]:
        """Arguments of `DragonForMultipleChoice.forward` for some questions, `num_choices` aside."""
        count = self._questions.num_choices
        rows = self._questions.choices.take((examples[:, None] * count + np.arange(count)).ravel())
        answers = rows["text"].to_pylist()
        if self._sentences is not None:
            told = self._sentences(Subgraphs.of_table(rows))
            answers = [f"{answer}. {sentences}" for answer, sentences in zip(answers, told, strict=True)]
        encoded = self._tokenizer(
            rows["question"].to_pylist(),
            answers,
            padding=True,
            # An answer is never cut, but what is told of its graph is.
            truncation="only_first" if self._sentences is None else "longest_first",
            max_length=self._length,
            return_tensors="pt",
        )
        batch = dict(encoded) | {"labels": torch.from_numpy(self._questions.answers[examples])}
        if self._graphs is not None:
            batch |= self._graphs(Subgraphs.of_table(rows))
        return batch
