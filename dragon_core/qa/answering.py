"""Answers questions with a fine-tuned model: they are linked and given subgraphs as those it was fine-tuned on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
import pyarrow as pa
import torch
from accelerate.utils import send_to_device
from scipy.special import softmax
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from dragon_core.artifacts import ArtifactReference, ArtifactStore
from dragon_core.devices import best_device
from dragon_core.graph import KnowledgeGraph
from dragon_core.qa.dataset import UNKNOWN, Float32s, PreparedQuestions
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.finetuning import FineTune
from dragon_core.qa.models import QuestionModel, model_arguments, new_collator, open_model
from dragon_core.qa.parameters import ArmParams
from dragon_core.qa.preparation import PrepareQuestions
from dragon_core.qa.preparer import QuestionPreparer
from dragon_core.qa.provenance import stage_that_made
from dragon_core.qa.question import Question
from dragon_core.qa.report import ComparisonParams, Report

BATCH_SIZE = 8


@dataclass(frozen=True)
class Answer:
    """What a model answers to a question.

    Attributes:
        question: The question.
        probabilities: One a choice, in the order of the choices; they sum to 1.
    """

    question: Question
    probabilities: list[float]

    @property
    def position(self) -> int:
        """Position of the answer among the choices."""
        return int(np.argmax(self.probabilities))

    @property
    def text(self) -> str:
        """The answer."""
        return self.question.choices[self.position]

    @property
    def probability(self) -> float:
        """Its probability."""
        return self.probabilities[self.position]


@dataclass(frozen=True)
class Reading:
    """What a model made of a row: a question with one choice or, where the choices are classes, a question alone.

    Attributes:
        logits: [1] of the choice, or [classes].
        attention: [n] of the answer's head over the n nodes of the row's subgraph, the mean of its heads; sums to 1
            where there is a node. None if the model reads no graph.
    """

    logits: Float32s
    attention: Float32s | None


class QuestionAnswerer:
    """Answers questions with a fine-tuned model.

    Attributes:
        name: Artifact that holds the model.
        graph: The graph that it was fine-tuned with.
        classes: The choices, if they are the same of every question; else empty.
    """

    def __init__(
        self,
        name: ArtifactReference,
        model: QuestionModel,
        tokenizer: PreTrainedTokenizerBase,
        graph: KnowledgeGraph,
        preparer: QuestionPreparer,
        classes: Sequence[str],
        max_length: int,
    ) -> None:
        self.name = name
        self.graph = graph
        self.classes = list(classes)
        self._model = model.eval()
        self._model.to(best_device())
        self._tokenizer = tokenizer
        self._preparer = preparer
        self._max_length = max_length

    @classmethod
    def open(cls, name: str, store: str = ".dragon/store") -> Self:
        """Open a model with all that its questions were prepared by, as the manifests tell.

        Args:
            name: `finetuned/KEY`, or `evaluation/KEY` for the model that was compared with others there, of its first
                seed; a key may be its beginning, or `latest`.
            store: A folder or a URL.

        Raises:
            ArtifactNotFoundError: There is no such artifact, or the store has lost one that it was made from.
            QuestionError: It is no fine-tuned model, files that it was made from have moved, or another version of this
                program prepared its questions.
        """
        opened = ArtifactStore(store)
        finetuned = opened.resolve(name)
        if finetuned.reference.stage == Report.name:
            subject = finetuned.params(ComparisonParams).subject
            finetuned = opened.get(finetuned.manifest.origin(f"arms.{subject}.0"))
        if finetuned.reference.stage != FineTune.name:
            raise QuestionError(
                f"{finetuned.reference} is no fine-tuned model; give {FineTune.name}/KEY or {Report.name}/KEY."
            )
        manifest = finetuned.manifest
        preparation = stage_that_made(opened.get(manifest.origin("questions")), PrepareQuestions)
        classes = preparation.params.classes
        return cls(
            finetuned.reference,
            open_model(finetuned.folder, classes, opened.get(manifest.origin("entity_table"))),
            AutoTokenizer.from_pretrained(finetuned.folder),
            KnowledgeGraph.open(opened.get(manifest.origin("graph")).folder),
            preparation.open(opened.inputs(preparation)),
            classes,
            finetuned.params(ArmParams).max_length,
        )

    @property
    def reads_graph(self) -> bool:
        """Whether the model has a graph network; else it may still have the graph told as sentences."""
        return bool(self._model.config.has_graph)

    def __call__(self, question: str, choices: Sequence[str] = (), context: str = "") -> Answer:
        """Answer one question.

        Args:
            question: Its text.
            choices: What may be the answer; may be left out if the choices of all questions are the model's classes.
            context: A text to answer from.

        Raises:
            QuestionError: There are fewer than two choices, or other ones than the model knows, or there is no text.
        """
        return next(self.answers([self.question(question, choices, context)]))

    def question(
        self, question: str, choices: Sequence[str] = (), context: str = "", question_id: str = "question"
    ) -> Question:
        """A question that the model can answer.

        Raises:
            QuestionError: As in a call.
        """
        question, context, given = question.strip(), context.strip(), [choice.strip() for choice in choices]
        given = given or self.classes
        if not question or not all(given):
            raise QuestionError("The question, or a choice, is empty; give a text for each.")
        if self.classes and given != self.classes:
            raise QuestionError(
                f"The choices {', '.join(given)} are not those of {self.name}, which are {', '.join(self.classes)} in"
                " this order; give these, or none."
            )
        if len(given) < 2:
            raise QuestionError(f"A question needs two or more choices, not {len(given)}; give each choice for itself.")
        return Question(question_id, question, given, None, context)

    def answers(self, questions: Iterable[Question], batch_size: int = BATCH_SIZE) -> Iterator[Answer]:
        """Answer questions in their order, batch by batch; no more of them are taken than a batch needs.

        Args:
            questions: Questions, as `question` makes them.
            batch_size: Questions of a batch.
        """
        left = iter(questions)
        while batch := list(islice(left, batch_size)):
            readings = iter(self.read(self.prepare(batch)))
            for question in batch:
                rows = islice(readings, self.rows_of(question))
                logits = np.concatenate([reading.logits for reading in rows])
                yield Answer(question, softmax(logits).tolist())

    def rows_of(self, question: Question) -> int:
        """How many rows a question is read as: one a choice, or one if the choices are classes."""
        return 1 if self.classes else len(question.choices)

    def prepare(self, questions: Sequence[Question]) -> pa.Table:
        """The rows of questions (`schema.choices_schema`), in their order."""
        return pa.Table.from_batches([self._preparer(questions)])

    @torch.inference_mode()
    def read(self, rows: pa.Table) -> list[Reading]:
        """Run the model on rows, in one batch; what it makes of a row depends on no other row."""
        count = len(rows)
        # Each row on its own, since only the logits of choices, not their probabilities, belong to a row.
        alone = PreparedQuestions(rows["question_id"].to_pylist(), np.full(count, UNKNOWN), np.arange(count + 1), rows)
        collator = new_collator(alone, self._model, self._tokenizer, self.graph, self._max_length)
        arguments = model_arguments(self._model, collator, np.arange(count))
        output = self._model(**send_to_device(arguments, self._model.device))
        logits = output.logits.float().cpu().numpy()
        if output.node_attention is None:
            return [Reading(of_row, None) for of_row in logits]
        # A graph's first node is its context node, which the answer's head leaves out.
        first = np.flatnonzero(arguments["concept_ids"].numpy() == 0)
        attention = np.split(output.node_attention.float().mean(0).cpu().numpy(), first[1:])
        return [Reading(of_row, of_nodes[1:]) for of_row, of_nodes in zip(logits, attention, strict=True)]
