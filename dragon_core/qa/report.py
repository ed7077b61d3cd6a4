"""The stage that compares the arms of an evaluation and reports."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from dragon_core.artifacts import Artifact, ArtifactReference, Draft, Inputs, Parameters, Progress, Stage
from dragon_core.artifacts.draft import METRICS_NAME, SUMMARY_NAME
from dragon_core.qa.analysis import group_questions
from dragon_core.qa.arms import in_order
from dragon_core.qa.dataset import PreparedQuestions
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.finetuning import PREDICTIONS_NAME
from dragon_core.qa.metrics import Hits, compare
from dragon_core.qa.preparation import read_choices
from dragon_core.qa.report_text import Metrics, groups_text, runs_text, summary_text
from dragon_core.qa.runs import Run, predictions_table, read_arm

REPORT_NAME = "report.md"
ACCURACY_NAME = "accuracy.png"
GROUPS_NAME = "groups.png"


class ReportParams(Parameters):
    """What is compared with the other arms, and how sure the numbers are to be."""

    subject: str = Field("dragon", description="The arm that is compared with all others.")
    bootstrap_samples: int = Field(10_000, ge=100, description="Resamplings behind an interval.")
    seed: int = Field(0, ge=0, description="Of the resampling.")


class ComparisonParams(ReportParams):
    """What is compared, how sure the numbers are to be, and what is told of the questions."""

    title: str = Field("Questions", description="What the questions are called.")
    about: str = Field("", description="What a reader should know of them: a paragraph of the report.")


class Report(Stage):
    """Accuracy of the arms on the test questions, overall and in groups, and how far one is ahead of the others.

    An arm alone is reported without a comparison.

    Attributes:
        questions: The prepared questions.
        arms: By name, one `finetuned` artifact a seed; all on these questions.

    Raises:
        QuestionError: An arm has no run, one twice, or one of another arm, or the subject is no arm.
    """

    name: ClassVar[str] = "evaluation"
    version: ClassVar[int] = 5

    questions: ArtifactReference
    arms: dict[str, tuple[ArtifactReference, ...]]
    params: ComparisonParams = ComparisonParams()

    @model_validator(mode="after")
    def _check_arms(self) -> Self:
        empty = [arm for arm, runs in self.arms.items() if not runs]
        if empty:
            raise QuestionError(f"The arm {empty[0]} has no run; give one fine-tuned artifact a seed, or leave it out.")
        repeated = [arm for arm, runs in self.arms.items() if len(set(runs)) < len(runs)]
        if repeated:
            raise QuestionError(f"The arm {repeated[0]} has a run twice; give runs of different seeds.")
        arms_of: dict[ArtifactReference, str] = {}
        for arm, runs in self.arms.items():
            for run in runs:
                if arms_of.setdefault(run, arm) != arm:
                    raise QuestionError(
                        f"The arms {arms_of[run]} and {arm} are one model, {run}, so that they cannot be compared;"
                        " leave one of them out."
                    )
        if self.params.subject not in self.arms:
            raise QuestionError(
                f"The subject of the report, {self.params.subject}, is none of its arms"
                f" ({', '.join(self.arms) or 'none'}); add it, or make one of them the subject."
            )
        return self

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write `metrics.json`, `predictions.parquet`, `report.md` and its figures, and `summary.md`, which holds them.

        Raises:
            QuestionError: The runs are not of these questions, or not comparable.
        """
        from dragon_core.qa.figures import draw_accuracy, draw_groups
        from dragon_core.training.curves import inline_picture

        questions = PreparedQuestions.of(read_choices(inputs.questions, "test"))
        # The key does not tell in which order the arms were given.
        arms = {
            arm: read_arm(arm, [inputs.store.get(reference) for reference in self.arms[arm]])
            for arm in in_order(self.arms)
        }
        hits = {arm: np.stack([run.hits(questions) for run in runs]) for arm, runs in arms.items()}
        metrics = self._described(questions, arms, hits)
        if questions.known.any():
            metrics |= self._compared(hits)
            metrics |= {
                "chance": arms[self.params.subject][0].chance(questions),
                "groups": self._groups(questions, hits),
            }
        draft.write_json(METRICS_NAME, metrics)
        draft.write_table(PREDICTIONS_NAME, predictions_table(arms))
        shown: dict[str, str] = {}

        def picture(name: str, description: str, draw: Callable[[Metrics, Path], None]) -> str:
            linked = f"![{description}]({name})"
            with draft.writing(name) as path:
                draw(metrics, path)
                shown[linked] = inline_picture(path.read_bytes(), description)
            return f"{linked}\n\n"

        report = summary_text(metrics)
        if metrics["questions"]:
            report += picture(ACCURACY_NAME, "accuracy of the arms", draw_accuracy)
        if metrics["groups"]:
            report += f"### Groups of questions\n\nAccuracies in %.\n\n{groups_text(metrics)}\n\n"
            report += picture(GROUPS_NAME, "accuracy of the arms in groups of questions", draw_groups)
        report += f"### What was compared\n\n{runs_text(metrics)}\n"
        summary = report
        for linked, inline in shown.items():
            summary = summary.replace(linked, inline)
        for name, text in ((REPORT_NAME, report), (SUMMARY_NAME, summary)):
            with draft.writing(name) as path:
                path.write_text(text, encoding="utf-8")
        draft.count(questions=metrics["questions"], arms=len(arms), runs=sum(map(len, arms.values())))

    def _described(
        self, questions: PreparedQuestions, arms: dict[str, list[Run]], hits: dict[str, Hits]
    ) -> dict[str, Any]:
        """What is compared, before it is."""
        return {
            "title": self.params.title,
            "about": self.params.about,
            "subject": self.params.subject,
            "questions": 0,
            "unscored_questions": int((~questions.known).sum()),
            "prepared_questions": str(self.questions),
            "groups": [],
            "runs": {arm: [run.summary(of) for run, of in zip(arms[arm], hits[arm], strict=True)] for arm in arms},
            "settings": {arm: runs[0].settings for arm, runs in arms.items()},
        }

    def _compared(self, hits: dict[str, Hits]) -> dict[str, Any]:
        return compare(hits, self.params.subject, self.params.bootstrap_samples, self.params.seed)

    def _groups(self, questions: PreparedQuestions, hits: dict[str, Hits]) -> list[dict[str, Any]]:
        return [
            {
                "title": way,
                "groups": [
                    {"title": title} | self._compared({arm: runs[:, members] for arm, runs in hits.items()})
                    for title, members in of_way.items()
                ],
            }
            for way, of_way in group_questions(questions).items()
        ]


def read_summary(evaluation: Artifact) -> str:
    """The result of an evaluation in Markdown, as in its report."""
    return summary_text(json.loads(evaluation.path(METRICS_NAME).read_text(encoding="utf-8")))
