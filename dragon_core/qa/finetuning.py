"""The stage that fine-tunes a model on questions and lets it answer others.

All arms of a comparison are this stage: the model that it starts from, and whether that reads its graph, are what
distinguishes them, and steps and settings are the same.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field
from scipy.special import softmax
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from dragon_core.artifacts import Artifact, ArtifactReference, Draft, Inputs, Progress, Stage
from dragon_core.artifacts.identity import json_digest
from dragon_core.embedding import ENTITIES_NAME
from dragon_core.graph import KnowledgeGraph
from dragon_core.modeling import DragonForMultipleChoice, DragonForSequenceClassification
from dragon_core.modeling.batch_checks import max_tokens
from dragon_core.modeling.saving import save_pretrained
from dragon_core.qa.dataset import UNKNOWN, PreparedQuestions, QuestionCollator
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.preparation import read_choices
from dragon_core.qa.preparer import PreparationParams
from dragon_core.qa.schema import PREDICTIONS, SPLITS, split_name
from dragon_core.qa.submission import LEADERBOARDS, make_submission
from dragon_core.qa.tuning import FineTuner, FineTuningParams, Float32s, QuestionModel, Seed
from dragon_core.training import GraphCollator, GraphSentences, Pretrain
from dragon_core.training.checkpoints import Checkpoints
from dragon_core.training.reproducible import make_reproducible

PREDICTIONS_NAME = "predictions.parquet"
METRICS_NAME = "metrics.json"
# How many questions with a choice were longer than `max_length`, among the counts.
CUT_TEXTS = "cut_texts"


class ArmParams(FineTuningParams):
    """Fine-tuning of one arm with one seed."""

    use_graph: bool = Field(True, description="False: the language model of the checkpoint alone.")
    seed: Seed = Field(0, description="Seed of all that is random.")


class FineTune(Stage):
    """One arm of an evaluation with one seed: fine-tunes on train, chooses the epoch on dev, predicts test."""

    name = "finetuned"
    version = 6
    questions: ArtifactReference
    graph: ArtifactReference
    entity_table: ArtifactReference
    checkpoint: ArtifactReference
    params: ArmParams = ArmParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write the model, `predictions.parquet` and `metrics.json`; of a hidden test what its leaderboard takes, too.

        Raises:
            QuestionError: The questions were prepared with another graph, some to train on have no answer, or
                `max_length` is more than the language model reads.
        """
        self._check_graph(inputs)
        params = self.params
        make_reproducible(params.seed)
        classes = PreparationParams(**inputs.questions.manifest.params).classes
        model = open_model(inputs.checkpoint.folder, classes, inputs.entity_table, params.use_graph)
        tokenizer = AutoTokenizer.from_pretrained(inputs.checkpoint.folder)
        splits = {split: PreparedQuestions.of(read_choices(inputs.questions, split)) for split in SPLITS}
        for split, count in (("train", params.train_examples), ("dev", params.dev_examples)):
            splits[split] = drawn(splits[split], count, params.seed)
        graph = KnowledgeGraph.open(inputs.graph.folder)
        train, dev, test = (
            new_collator(questions, model, tokenizer, graph, params.max_length) for questions in splits.values()
        )
        fingerprint = self._fingerprint(inputs)
        checkpoints = Checkpoints(draft.scratch / fingerprint[:16], fingerprint, kept=1)
        graph_is_pretrained = self.checkpoint.stage == Pretrain.name
        tuner = FineTuner(model, params, params.seed, train, dev, checkpoints, graph_is_pretrained)
        tuner.run(progress)
        probabilities = [softmax(row) for row in tuner.logits(test)]
        predictions = predictions_table(splits["test"], probabilities)
        draft.write_table(PREDICTIONS_NAME, predictions)
        measured = accuracy(splits["test"], probabilities)
        if measured is None:
            self._save_submission(inputs, predictions, draft)
        metrics = {
            "test_accuracy": measured,
            "best_epoch": tuner.best_epoch,
            "epochs": [asdict(epoch) for epoch in tuner.curve],
        }
        draft.write_json(METRICS_NAME, metrics)
        save_pretrained(model, tokenizer, draft)
        draft.count(**{split: len(questions) for split, questions in splits.items()})
        draft.count(**{CUT_TEXTS: sum(collator.num_cut() for collator in (train, dev, test))})

    def _check_graph(self, inputs: Inputs) -> None:
        for artifact in (inputs.questions, inputs.entity_table, inputs.checkpoint):
            origin = artifact.manifest.origin("graph")
            if origin != self.graph:
                raise QuestionError(
                    f"{artifact.reference} was made with {origin}, not with {self.graph}; use one graph."
                )

    def _save_submission(self, inputs: Inputs, predictions: pa.Table, draft: Draft) -> None:
        """Write what the leaderboard takes that knows the answers, if it is known what it takes."""
        read = inputs.store.get(inputs.questions.manifest.origin("questions"))
        source = read.manifest.params.get("source")
        if source in LEADERBOARDS:
            submission = make_submission(source, pq.read_table(read.path(split_name("test"))), predictions)
            with draft.writing(submission.name) as path:
                path.write_text(submission.text, encoding="utf-8")

    def _fingerprint(self, inputs: Inputs) -> str:
        artifacts: list[Artifact] = [inputs.questions, inputs.graph, inputs.entity_table, inputs.checkpoint]
        return json_digest([str(self.reference), *(artifact.manifest.digest for artifact in artifacts)])


def open_model(folder: Path, classes: Sequence[str], entity_table: Artifact, use_graph: bool = True) -> QuestionModel:
    """A model that answers questions, of the weights in a folder; its head is new if there is none.

    Args:
        folder: As `save_pretrained` made it.
        classes: The choices, if they are the same of every question; else empty.
        entity_table: Vectors of the graph's nodes.
        use_graph: Whether it reads a graph, if what is in the folder does.
    """
    options: dict[str, Any] = {"num_labels": len(classes)} if classes else {}
    if not use_graph:
        options |= {"num_fusion_layers": -1, "graph_as_text": False}
    kind = DragonForSequenceClassification if classes else DragonForMultipleChoice
    model: QuestionModel = kind.from_pretrained(folder, **options)
    if model.config.has_graph:
        model.dragon.load_entities(entity_table.path(ENTITIES_NAME))
    return model


def new_collator(
    questions: PreparedQuestions,
    model: QuestionModel,
    tokenizer: PreTrainedTokenizerBase,
    graph: KnowledgeGraph,
    max_length: int,
) -> QuestionCollator:
    """What makes batches of questions in the form that a model reads.

    Raises:
        QuestionError: The language model reads fewer tokens than `max_length`.
    """
    most = max_tokens(model.config)
    if max_length > most:
        raise QuestionError(
            f"max_length is {max_length}, and the language model reads {most} tokens at most; lower it."
        )
    graphs = GraphCollator(graph.num_relations) if model.config.has_graph else None
    sentences = GraphSentences(graph.names, graph.relations) if model.config.graph_as_text else None
    return QuestionCollator(questions, tokenizer, graphs, max_length, sentences)


def drawn(questions: PreparedQuestions, count: int | None, seed: int) -> PreparedQuestions:
    """As many questions, drawn without replacement; all of them if `count` is None.

    Raises:
        QuestionError: There are fewer.
    """
    if count is None:
        return questions
    if count > len(questions):
        raise QuestionError(f"{count} questions are asked for, but there are {len(questions)}; ask for fewer.")
    return questions.subset(np.random.default_rng(seed).permutation(len(questions))[:count])


def predictions_table(questions: PreparedQuestions, probabilities: Sequence[Float32s]) -> pa.Table:
    """The table of predictions (`schema.PREDICTIONS`)."""
    answers = [None if answer == UNKNOWN else answer for answer in questions.answers.tolist()]
    columns = [questions.ids, answers, [int(row.argmax()) for row in probabilities], list(probabilities)]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, PREDICTIONS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=PREDICTIONS)


def accuracy(questions: PreparedQuestions, probabilities: Sequence[Float32s]) -> float | None:
    """Share of the questions with a known answer that are answered right; None if there are none."""
    known = [
        row.argmax() == answer
        for row, answer in zip(probabilities, questions.answers, strict=True)
        if answer != UNKNOWN
    ]
    return float(np.mean(known)) if known else None
