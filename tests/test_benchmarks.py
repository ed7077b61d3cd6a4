"""The benchmarks run, and say all they should; what they measure is no test's business."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_model_benchmark_prints_every_ratio_and_draws_the_plot(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.model", "--repeats", "1", "--plot", str(tmp_path / "edges.png")]
    environment = os.environ | {"DRAGON_SHARED_DATA": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    ratios = {line["measure"]: line["ratio"] for line in lines if "ratio" in line}
    assert set(ratios) == {
        "step / BertForMaskedLM",
        "step / backbone, masked positions only",
        "naive step / BertForMaskedLM",
        "fusion alone, naive / ours",
        "peak memory of fusion, naive / ours",
    }
    assert all(ratio > 0 for ratio in ratios.values())
    assert [line["edges"] for line in lines if "edges" in line] == [50, 150, 500, 1500, 5000]
    assert (tmp_path / "edges.png").read_bytes().startswith(b"\x89PNG")
    assert "set DRAGON_SHARED_DATA" in done.stderr
