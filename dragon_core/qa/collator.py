"""Prepared questions as batches of a model."""

import pyarrow as pa
import torch
from transformers import PreTrainedTokenizerBase

from dragon_core.qa.dataset import Int64s, PreparedQuestions
from dragon_core.qa.question import text_with_context
from dragon_core.training.graph_batch import GraphCollator
from dragon_core.training.graph_text import GraphSentences
from dragon_core.training.subgraphs import Subgraphs

ROWS_AT_ONCE = 1000


class QuestionCollator:
    """Makes batches of questions: a text and, for a model that reads it, a subgraph or its sentences a row."""

    def __init__(
        self,
        questions: PreparedQuestions,
        tokenizer: PreTrainedTokenizerBase,
        graphs: GraphCollator | None,
        length: int,
        sentences: GraphSentences | None = None,
    ) -> None:
        self.questions = questions
        self._tokenizer = tokenizer
        self._graphs = graphs
        self._length = length
        self._sentences = sentences

    def __call__(self, examples: Int64s) -> dict[str, torch.Tensor]:
        """Arguments of a model's `forward` for some questions, without choices and labels."""
        rows = self.questions.rows.take(self.questions.rows_of(examples))
        encoded = self._tokenizer(
            *self._texts(rows),
            padding=True,
            # What is longer is cut first: a context, or what is told of the graph.
            truncation="longest_first",
            max_length=self._length,
            return_tensors="pt",
        )
        batch = dict(encoded)
        if self._graphs is not None:
            batch |= self._graphs(Subgraphs.of_table(rows))
        return batch

    def num_cut(self) -> int:
        """How many rows are longer than what is read of them."""
        lengths = (
            length
            for batch in self.questions.rows.to_batches(max_chunksize=ROWS_AT_ONCE)
            for length in self._tokenizer(*self._texts(batch), return_length=True, verbose=False)["length"]
        )
        return sum(length > self._length for length in lengths)

    def _texts(self, rows: pa.Table | pa.RecordBatch) -> tuple[list[str], list[str]]:
        """What is read of rows: questions with their contexts, and choices."""
        asked, contexts, choices = (rows[name].to_pylist() for name in ("question", "context", "text"))
        if self._sentences is not None:
            told = self._sentences(Subgraphs.of_table(rows))
            choices = [f"{choice}. {sentences}" for choice, sentences in zip(choices, told, strict=True)]
        return list(map(text_with_context, asked, contexts)), choices
