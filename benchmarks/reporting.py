"""How a benchmark prints a result: one JSON line."""

import json
import os
import platform
from pathlib import Path
from typing import Any, Literal

from dragon_core.artifacts.manifest import package_versions


def report_machine() -> None:
    """Print what the benchmark runs on."""
    cpu = Path("/proc/cpuinfo")
    models = [line.split(":")[1].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")]
    line = {"processor": (models or [platform.processor()])[0], "cores": os.cpu_count()}
    print(json.dumps({"machine": line | {"system": platform.system()}, "packages": package_versions()}), flush=True)


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
