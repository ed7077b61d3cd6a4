"""What benchmarks share: how they time, and how they print a result, as one JSON line."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import fsspec

from dragon_core.artifacts.draft import Writer
from dragon_core.artifacts.folder import Folder
from dragon_core.artifacts.manifest import package_versions


def machine() -> dict[str, Any]:
    """What this runs on."""
    # Not at the top: most benchmarks need none of it, and would wait for it.
    import torch

    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    processor = (models or [platform.processor()])[0]
    gpu = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    return {"processor": processor, "cores": os.cpu_count(), "system": platform.system()} | gpu


def report_machine() -> None:
    """Print what the benchmark runs on."""
    print(json.dumps({"machine": machine(), "packages": package_versions()}), flush=True)


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


def writer_of(folder: Path) -> Writer:
    """Writes an artifact's files to a folder."""
    return Writer(Folder(fsspec.filesystem("file"), str(folder)))


def seconds_of(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each call, interleaved."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}
