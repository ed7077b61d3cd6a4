"""The figures of an evaluation."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dragon_core.qa.arms import in_order, title_of

# The arms of a group stand side by side in so much of the distance to the next group.
WIDTH_OF_A_GROUP = 0.6
PANELS_OF_A_ROW = 2
# The runs of an arm stand a little below their mean.
BELOW = 0.25


def draw_accuracy(metrics: Mapping[str, Any], path: Path) -> None:
    """Draw the accuracy of each arm with its interval, and that of each of its runs, as a PNG.

    Args:
        metrics: What an evaluation measured (`metrics.json`).
        path: Where to write.
    """
    arms = in_order(metrics["arms"])
    figure = Figure(figsize=(9, 0.5 * len(arms) + 1.2), layout="constrained")
    axes = figure.subplots()
    for position, arm in enumerate(arms):
        measured = metrics["arms"][arm]
        accuracies, errors = _percent([measured])
        axes.errorbar(accuracies, [position], xerr=errors, fmt="o", capsize=4)
        runs = [100 * run for run in measured["runs"]] if len(measured["runs"]) > 1 else []
        axes.plot(runs, [position + BELOW] * len(runs), ".", color="gray", markersize=4)
    axes.axvline(100 * metrics["chance"], linestyle="--", color="gray", label="chance")
    axes.set_yticks(range(len(arms)), [title_of(arm) for arm in arms])
    axes.invert_yaxis()
    axes.set_xlabel("accuracy in %, 95% interval; small: seeds")
    axes.legend(loc="best")
    _save(figure, path)


def draw_groups(metrics: Mapping[str, Any], path: Path) -> None:
    """Draw the accuracy of each arm in each group of questions, a panel for each way of grouping, as a PNG.

    Args:
        metrics: What an evaluation measured, with at least one way of grouping.
        path: Where to write.
    """
    arms, ways = in_order(metrics["arms"]), metrics["groups"]
    rows = math.ceil(len(ways) / PANELS_OF_A_ROW)
    figure = Figure(figsize=(11, 3 * rows + 0.8), layout="constrained")
    panels = figure.subplots(rows, PANELS_OF_A_ROW, squeeze=False).ravel()
    for axes, way in zip(panels, ways, strict=False):
        for number, arm in enumerate(arms):
            offset = WIDTH_OF_A_GROUP * ((number + 0.5) / len(arms) - 0.5)
            positions = [position + offset for position in range(len(way["groups"]))]
            measured = [group["arms"][arm] for group in way["groups"]]
            accuracies, errors = _percent(measured)
            axes.errorbar(positions, accuracies, yerr=errors, fmt="o", capsize=2, label=title_of(arm))
        titles = [f"{group['title']}\n({group['questions']})" for group in way["groups"]]
        axes.set_xticks(range(len(titles)), titles, fontsize=8)
        axes.set_title(way["title"], fontsize=10)
        axes.set_ylabel("accuracy in %", fontsize=8)
    for axes in panels[len(ways) :]:
        axes.set_axis_off()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    _save(figure, path)


def _percent(measured: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[list[float]]]:
    """Accuracies, and how far their intervals reach down and up."""
    accuracies = [100 * one["accuracy"] for one in measured]
    # A percentile interval need not hold the value itself.
    down = [max(100 * (one["accuracy"] - one["low"]), 0) for one in measured]
    up = [max(100 * (one["high"] - one["accuracy"]), 0) for one in measured]
    return accuracies, [down, up]


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="png", dpi=100, metadata={"Software": None})
