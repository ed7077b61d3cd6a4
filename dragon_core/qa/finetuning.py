"""The stage that fine-tunes a model on questions and lets it answer others.

All arms of a comparison are this stage: the model that it starts from, and whether that reads its graph, are what
distinguishes them, and steps and settings are the same.
"""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts import Artifact, ArtifactReference, Draft, Inputs, Progress, Stage
from dragon_core.artifacts.draft import METRICS_NAME
from dragon_core.artifacts.identity import json_digest
from dragon_core.graph import KnowledgeGraph
from dragon_core.qa.dataset import UNKNOWN, Float32s, PreparedQuestions
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.parameters import ArmParams
from dragon_core.qa.preparation import read_choices
from dragon_core.qa.preparer import PreparationParams
from dragon_core.qa.schema import PREDICTIONS, SPLITS, split_name
from dragon_core.qa.submission import LEADERBOARDS, make_submission
from dragon_core.training import Pretrain

PREDICTIONS_NAME = "predictions.parquet"
# How many questions with a choice were longer than `max_length`, among the counts.
CUT_TEXTS = "cut_texts"


class FineTune(Stage):
    """One arm of an evaluation with one seed: fine-tunes on train, chooses the epoch on dev, predicts test."""

    name = "finetuned"
    # The next is 9: 8 fine-tuned a pretrained graph network at the rate of what is new, and was taken back.
    version = 7
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
        from scipy.special import softmax
        from transformers import AutoTokenizer

        from dragon_core.modeling.saving import save_pretrained
        from dragon_core.qa.models import new_collator, open_model
        from dragon_core.qa.tuning import FineTuner
        from dragon_core.training.checkpoints import Checkpoints
        from dragon_core.training.reproducible import make_reproducible

        self._check_graph(inputs)
        params = self.params
        make_reproducible(params.seed)
        classes = inputs.questions.params(PreparationParams).classes
        model = open_model(inputs.checkpoint.folder, classes, inputs.entity_table, params.use_graph)
        tokenizer = AutoTokenizer.from_pretrained(inputs.checkpoint.folder)
        splits = {split: PreparedQuestions.of(read_choices(inputs.questions, split)) for split in SPLITS}
        for split, count in (("train", params.train_examples), ("dev", params.dev_examples)):
            splits[split] = drawn(splits[split], count, params.seed, f"{split}_examples")
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


def drawn(questions: PreparedQuestions, count: int | None, seed: int, name: str = "count") -> PreparedQuestions:
    """As many questions, drawn without replacement; all of them if `count` is None, which is called `name` in errors.

    Raises:
        QuestionError: There are fewer.
    """
    if count is None:
        return questions
    if count > len(questions):
        raise QuestionError(f"{name} is {count}, but there are {len(questions)} questions; lower it.")
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
