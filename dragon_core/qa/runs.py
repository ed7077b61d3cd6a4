"""The runs of an evaluation's arms: what each model answered, and how it was fine-tuned."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dragon_core.artifacts import Artifact, ArtifactReference
from dragon_core.artifacts.draft import METRICS_NAME
from dragon_core.artifacts.manifest import InputRecord
from dragon_core.qa.arms import in_order
from dragon_core.qa.dataset import UNKNOWN, Bools, PreparedQuestions
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.finetuning import CUT_TEXTS, PREDICTIONS_NAME
from dragon_core.qa.metrics import Hits
from dragon_core.qa.schema import PREDICTIONS


@dataclass(frozen=True)
class Run:
    """One model of an arm.

    Attributes:
        reference: The `finetuned` artifact.
        seed: Of its fine-tuning.
        settings: Its other parameters.
        inputs: What it was made from, by role: references, or digests of files.
        dev_accuracy: Of the epoch that was kept.
        cut_texts: How many questions with a choice were longer than what is read of them.
        predictions: Its answers to the test questions (`schema.PREDICTIONS`).
    """

    reference: ArtifactReference
    seed: int
    settings: dict[str, Any]
    inputs: dict[str, str]
    dev_accuracy: float
    cut_texts: int
    predictions: pa.Table

    @classmethod
    def read(cls, artifact: Artifact) -> Self:
        """Read a `finetuned` artifact."""
        settings = dict(artifact.manifest.params)
        epochs = json.loads(artifact.path(METRICS_NAME).read_text(encoding="utf-8"))["epochs"]
        return cls(
            reference=artifact.reference,
            seed=settings.pop("seed"),
            settings=settings,
            inputs={role: _identity(record) for role, record in artifact.manifest.inputs.items()},
            dev_accuracy=max(epoch["dev_accuracy"] for epoch in epochs),
            cut_texts=artifact.manifest.counts.get(CUT_TEXTS, 0),
            predictions=pq.read_table(artifact.path(PREDICTIONS_NAME)),
        )

    def hits(self, questions: PreparedQuestions) -> Bools:
        """[questions with a known answer] which ones are answered correctly.

        Raises:
            QuestionError: The answers are to other questions.
        """
        table = self.predictions
        if table["question_id"].to_pylist() != questions.ids:
            raise QuestionError(
                f"{self.reference} answered other test questions than those of the report ({len(table)} and"
                f" {len(questions)}); give runs on the same questions, or the questions they were made from."
            )
        if not np.array_equal(np.asarray(table["answer"].fill_null(UNKNOWN)), questions.answers):
            raise QuestionError(
                f"{self.reference} was fine-tuned when the test questions had other right answers; fine-tune it anew."
            )
        return np.asarray(table["predicted"])[questions.known] == questions.answers[questions.known]

    def chance(self, questions: PreparedQuestions) -> float:
        """Expected accuracy of guessing: the mean of 1 / choices over the questions with a known answer."""
        choices = np.asarray(pc.list_value_length(self.predictions["probabilities"]))
        return float(np.mean(1 / choices[questions.known]))

    def summary(self, hits: Bools) -> dict[str, Any]:
        """What a report says of it, as JSON, given its `hits`; `test_accuracy` is None if no right answer is known."""
        return {
            "reference": str(self.reference),
            "seed": self.seed,
            "dev_accuracy": self.dev_accuracy,
            "test_accuracy": float(hits.mean()) if len(hits) else None,
            "cut_texts": self.cut_texts,
            "inputs": self.inputs,
        }


def read_arm(arm: str, artifacts: Sequence[Artifact]) -> list[Run]:
    """Read the runs of an arm.

    Raises:
        QuestionError: Two of them have the same seed, or other settings.
    """
    runs = [Run.read(artifact) for artifact in artifacts]
    seeds = [run.seed for run in runs]
    if len(set(seeds)) < len(seeds):
        raise QuestionError(
            f"The runs of the arm {arm} have the seeds {', '.join(map(str, seeds))}; give runs of different seeds,"
            " since equal ones tell nothing of chance."
        )
    for run in runs[1:]:
        if run.settings != runs[0].settings:
            names = [name for name, value in run.settings.items() if runs[0].settings.get(name) != value]
            raise QuestionError(
                f"The runs {runs[0].reference} and {run.reference} of the arm {arm} differ in {', '.join(names)}; give"
                " runs that differ in nothing but the seed, or make them arms of their own."
            )
    return runs


def predictions_table(arms: dict[str, list[Run]]) -> pa.Table:
    """The answers of all runs: the columns `arm`, `seed`, and those of `schema.PREDICTIONS`."""
    tables = []
    for arm, runs in arms.items():
        for run in runs:
            rows = len(run.predictions)
            of_run = run.predictions.select(PREDICTIONS.names)
            of_run = of_run.add_column(0, "seed", pa.array([run.seed] * rows, pa.int64()))
            tables.append(of_run.add_column(0, "arm", pa.array([arm] * rows, pa.string())))
    return pa.concat_tables(tables)


def read_hits(evaluation: Artifact) -> dict[str, Hits]:
    """[runs, questions with a known answer] of each arm of an evaluation: which ones are answered correctly."""
    table = pq.read_table(evaluation.path(PREDICTIONS_NAME))
    table = table.filter(pc.is_valid(table["answer"]))
    arms, seeds = np.asarray(table["arm"]), np.asarray(table["seed"])
    right = np.asarray(table["predicted"]) == np.asarray(table["answer"])
    return {
        arm: np.stack([right[(arms == arm) & (seeds == seed)] for seed in np.unique(seeds[arms == arm])])
        for arm in in_order(set(arms.tolist()))
    }


def _identity(record: InputRecord) -> str:
    return f"sha256 {record.digest[:12]}" if record.reference is None else str(record.reference)
