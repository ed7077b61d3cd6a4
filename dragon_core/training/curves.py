"""The course of a run as a table and as a picture."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from matplotlib.figure import Figure

CURVES = pa.schema(
    [
        ("step", pa.int64()),
        ("loss", pa.float64()),
        ("mlm_loss", pa.float64()),
        ("link_loss", pa.float64()),
        ("encoder_learning_rate", pa.float64()),
        ("new_learning_rate", pa.float64()),
        ("evaluation_mlm_loss", pa.float64()),
        ("evaluation_mlm_accuracy", pa.float64()),
        ("evaluation_link_loss", pa.float64()),
        ("evaluation_link_accuracy", pa.float64()),
        ("evaluation_link_mrr", pa.float64()),
    ]
)


def curves_table(steps: Sequence[dict[str, float]], evaluations: Sequence[dict[str, float]]) -> pa.Table:
    """One row a step (`CURVES`), the row of step 0 first; what was not measured at a step is null."""
    rows: dict[int, dict[str, float]] = {0: {"step": 0}}
    rows |= {int(entry["step"]): dict(entry) for entry in steps}
    for entry in evaluations:
        rows[int(entry["step"])] |= {f"evaluation_{name}": value for name, value in entry.items() if name != "step"}
    return pa.Table.from_pylist([rows[step] for step in sorted(rows)], schema=CURVES)


def draw_curves(table: pa.Table, path: Path) -> None:
    """Draw losses and accuracies over the steps as a PNG."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    for name, label, color in (("mlm", "masked words", "tab:blue"), ("link", "links", "tab:orange")):
        steps, values = _known(table, f"{name}_loss")
        losses.plot(steps, values, color=color, alpha=0.35, linewidth=0.8)
        losses.plot(*_known(table, f"evaluation_{name}_loss"), "o-", color=color, label=f"{label}, held out")
        accuracies.plot(*_known(table, f"evaluation_{name}_accuracy"), "o-", color=color, label=label)
    losses.set(title="Loss (thin: training)", xlabel="step", ylim=(0, None))
    accuracies.set(title="Accuracy on held-out segments", xlabel="step", ylim=(0, 1))
    for axes in (losses, accuracies):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, format="png", dpi=100, metadata={"Software": None})


def curves_markdown(before: Mapping[str, float], after: Mapping[str, float], picture: bytes) -> str:
    """The held-out metrics before and after as a table, and the curves (a PNG) inline, so that the page is one file."""
    rows = [
        f"| {name.replace('_', ' ')} | {before[name]:.4g} | {after[name]:.4g} |" for name in after if name in before
    ]
    image = base64.b64encode(picture).decode()
    return (
        "## Held-out segments\n\n| | before | after |\n| --- | ---: | ---: |\n"
        + "\n".join(rows)
        + f"\n\n![loss and accuracy by step](data:image/png;base64,{image})\n"
    )


def _known(table: pa.Table, column: str) -> tuple[list[int], list[float]]:
    pairs = zip(table["step"].to_pylist(), table[column].to_pylist(), strict=True)
    known = [(step, value) for step, value in pairs if value is not None]
    return [step for step, _ in known], [value for _, value in known]
