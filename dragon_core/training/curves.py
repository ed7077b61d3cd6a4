"""The course of a run as a table and as a picture."""

import base64
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from matplotlib.figure import Figure

from dragon_core.training.history import Numbers
from dragon_core.training.metrics import LINK, MLM

CURVES = pa.schema(
    [
        ("step", pa.int64()),
        *(
            (name, pa.float64())
            for name in (
                "loss",
                "mlm_loss",
                "link_loss",
                "gradient_norm",
                "encoder_learning_rate",
                "new_learning_rate",
                *(f"evaluation_{name}" for name in ("loss", *MLM, *LINK)),
            )
        ),
    ]
)


def curves_table(intervals: Iterable[Numbers], evaluations: Iterable[Numbers]) -> pa.Table:
    """One row a step that was reported or evaluated (`CURVES`); what was not measured at a step is null."""
    rows: dict[int, Numbers] = {int(entry["step"]): dict(entry) for entry in intervals}
    for entry in evaluations:
        row = rows.setdefault(int(entry["step"]), {"step": entry["step"]})
        row.update({f"evaluation_{name}": value for name, value in entry.items() if name != "step"})
    return pa.Table.from_pylist([rows[step] for step in sorted(rows)], schema=CURVES)


def draw_curves(table: pa.Table, path: Path) -> None:
    """Draw losses and accuracies over the steps as a PNG."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    for name, label, color in (("mlm", "masked words", "tab:blue"), ("link", "links", "tab:orange")):
        losses.plot(*_known(table, f"{name}_loss"), color=color, alpha=0.35, linewidth=0.8)
        losses.plot(*_known(table, f"evaluation_{name}_loss"), "o-", color=color, label=f"{label}, held out")
    for name, label, color in (
        ("mlm_accuracy", "masked words", "tab:blue"),
        ("link_accuracy", "links against one other", "tab:orange"),
        ("link_hits_at_3", "links among the first 3", "tab:red"),
    ):
        accuracies.plot(*_known(table, f"evaluation_{name}"), "o-", color=color, label=label)
    losses.set(title="Loss (thin: training)", xlabel="step", ylim=(0, None))
    accuracies.set(title="Accuracy on held-out segments", xlabel="step", ylim=(0, 1))
    for axes in (losses, accuracies):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, format="png", dpi=100, metadata={"Software": None})


def inline_picture(picture: bytes, description: str) -> str:
    """A PNG as Markdown that needs no other file; `description` is what is read where it cannot be shown."""
    return f"![{description}](data:image/png;base64,{base64.b64encode(picture).decode()})"


def _known(table: pa.Table, column: str) -> tuple[list[int], list[float]]:
    pairs = zip(table["step"].to_pylist(), table[column].to_pylist(), strict=True)
    known = [(step, value) for step, value in pairs if value is not None]
    return [step for step, _ in known], [value for _, value in known]
