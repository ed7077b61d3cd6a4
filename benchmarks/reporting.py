"""How a benchmark prints a result: one JSON line."""

import json
from typing import Any, Literal


def report(
    name: str,
    value: float,
    unit: str,
    samples: int,
    required: float | None = None,
    aim: float | None = None,
    better: Literal["higher", "lower"] = "higher",
    **details: Any,
) -> None:
    """Print a result.

    Args:
        name: What was measured.
        value: The result; a ratio has the unit `x`.
        unit: Its unit.
        samples: Texts, questions or documents it was measured on.
        required: What it has to reach.
        aim: What it should reach.
        better: Which way.
        details: Whatever explains the result.
    """
    line = {"name": name, "value": float(f"{value:.4g}"), "unit": unit, "better": better, "required": required}
    print(json.dumps(line | {"aim": aim, "samples": samples} | details), flush=True)
