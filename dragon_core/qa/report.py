"""The stage that compares the arms of an evaluation and reports."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure
from pydantic import Field

from dragon_core.artifacts import Artifact, ArtifactReference, Draft, Inputs, Parameters, Progress, Stage
from dragon_core.qa.finetuning import PREDICTIONS_NAME
from dragon_core.qa.metrics import Hits, accuracy_with_interval, difference_with_interval

METRICS_NAME = "metrics.json"
REPORT_NAME = "report.md"
FIGURE_NAME = "accuracy.png"

TITLES = {
    "dragon": "DRAGON",
    "untrained_graph": "the same with a graph network that was not pretrained",
    "lm_of_dragon": "DRAGON's language model without the graph",
    "lm": "the encoder without the graph",
}


class ReportParams(Parameters):
    """How sure the numbers are to be."""

    bootstrap_samples: int = Field(10_000, ge=100, description="Resamplings behind an interval.")
    seed: int = Field(0, ge=0, description="Of the resampling.")


class Evaluate(Stage):
    """Accuracy of DRAGON and its baselines on the test questions, with intervals.

    Each arm is a `finetuned` artifact with the same questions and settings.
    """

    name = "evaluation"
    version = 2
    questions: ArtifactReference
    dragon: ArtifactReference
    lm: ArtifactReference
    lm_of_dragon: ArtifactReference | None = None
    untrained_graph: ArtifactReference | None = None
    params: ReportParams = ReportParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write `metrics.json`, `predictions.parquet`, `report.md`, its figure, and `summary.md` for the UI."""
        arms = {arm: getattr(inputs, arm) for arm in TITLES if arm in self.artifacts}
        tables = {arm: pq.read_table(artifact.path(PREDICTIONS_NAME)) for arm, artifact in arms.items()}
        hits = {arm: np.asarray(t["predicted"]) == np.asarray(t["answer"]) for arm, t in tables.items()}
        metrics = self._metrics(hits, inputs.questions)
        draft.write_json(METRICS_NAME, metrics)
        predictions = [t.add_column(0, "arm", pa.array([arm] * len(t))) for arm, t in tables.items()]
        draft.write_table(PREDICTIONS_NAME, pa.concat_tables(predictions))
        report = report_markdown(metrics)
        with draft.writing(FIGURE_NAME) as path:
            _draw(metrics, path)
        with draft.writing(REPORT_NAME) as path:
            path.write_text(f"{report}\n![accuracy of the arms]({FIGURE_NAME})\n", encoding="utf-8")
        with draft.writing("summary.md") as path:
            path.write_text(report, encoding="utf-8")
        draft.count(questions=metrics["questions"])

    def _metrics(self, hits: dict[str, Hits], questions: Artifact) -> dict[str, Any]:
        samples, seed = self.params.bootstrap_samples, self.params.seed
        return {
            "questions": len(hits["dragon"]),
            "chance": 1 / questions.manifest.params["num_choices"],
            "arms": {arm: accuracy_with_interval(values, samples, seed) for arm, values in hits.items()},
            "dragon_minus": {
                arm: difference_with_interval(hits["dragon"], values, samples, seed)
                for arm, values in hits.items()
                if arm != "dragon"
            },
        }


def report_markdown(metrics: dict[str, Any]) -> str:
    """The report in Markdown."""
    rows = []
    for arm, accuracy in metrics["arms"].items():
        difference = metrics["dragon_minus"].get(arm)
        against = f"{_points(difference, 'difference')}" if difference else ""
        rows.append(f"| {TITLES[arm]} | {_percent(accuracy, 'accuracy')} | {against} |")
    rows.append(f"| chance | {metrics['chance']:.1%} | |")
    return (
        "## Generated questions\n\n"
        "| | accuracy (95% interval) | DRAGON's lead in points (95% interval) |\n| --- | --- | --- |\n"
        + "\n".join(rows)
        + f"\n\n{verdict(metrics)}\n\n"
        f"{metrics['questions']} test questions were generated from the dictionary: a definition, and which concept it"
        " defines; the distractors are its siblings. No definition that is asked, in any split, was read in"
        " pretraining. The graph keeps all its edges, those of the asked concepts included: they are what the model may"
        " reason with. All arms were fine-tuned on the same questions with the same number of steps and the same"
        " settings.\n"
    )


def verdict(metrics: dict[str, Any]) -> str:
    """One sentence: is DRAGON better than the language model alone?"""
    lead = metrics["dragon_minus"]["lm"]
    if lead["low"] > 0:
        return "DRAGON is better than the language model alone: the interval of the difference lies above 0."
    if lead["high"] < 0:
        return "DRAGON is worse than the language model alone: the interval of the difference lies below 0."
    return "These questions do not show that DRAGON differs from the language model alone: the interval holds 0."


def _percent(values: dict[str, float], name: str) -> str:
    return f"{values[name]:.1%} ({values['low']:.1%} to {values['high']:.1%})"


def _points(values: dict[str, float], name: str) -> str:
    return f"{100 * values[name]:+.1f} ({100 * values['low']:+.1f} to {100 * values['high']:+.1f})"


def _draw(metrics: dict[str, Any], path: Any) -> None:
    arms = list(reversed(metrics["arms"].items()))
    figure = Figure(figsize=(7, 0.6 * len(arms) + 1.2), layout="constrained")
    axes = figure.subplots()
    for position, (_, accuracy) in enumerate(arms):
        low, high = accuracy["accuracy"] - accuracy["low"], accuracy["high"] - accuracy["accuracy"]
        axes.errorbar(100 * accuracy["accuracy"], position, xerr=[[100 * low], [100 * high]], fmt="o", capsize=4)
    axes.axvline(100 * metrics["chance"], linestyle="--", color="gray", label="chance")
    axes.set_yticks(range(len(arms)), [TITLES[arm] for arm, _ in arms])
    axes.set_xlabel("accuracy in % on generated questions, 95% interval")
    axes.legend(loc="lower right")
    figure.savefig(path, format="png", dpi=120, metadata={"Software": None})
