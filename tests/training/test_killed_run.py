"""A run killed with -9 continues exactly: the same losses and the same weights as one that was left alone."""

import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import torch

from dragon_core.artifacts import ArtifactStore, make
from tests.training.encoders import write_encoder
from tests.training.stages import pretrain_stage

ROOT = Path(__file__).parents[2]


def test_a_killed_run_continues_bit_for_bit(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    encoder = write_encoder(tmp_path / "encoder")
    whole, killed = ArtifactStore(str(tmp_path / "whole")), ArtifactStore(str(tmp_path / "killed"))
    expected = make(pretrain_stage(whole, encoder), whole)
    command = [sys.executable, "-m", "tests.training.stages", killed.url, str(encoder), "12"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "step 7\n":
                process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    stage = pretrain_stage(killed, encoder)
    assert killed.find(stage) is None
    continued = make(stage, killed)
    curves = [pq.read_table(artifact.path("curves.parquet")).to_pylist() for artifact in (expected, continued)]
    assert len(curves[0]) >= 12
    assert curves[0] == curves[1]
    weights = [artifact.path("model.safetensors").read_bytes() for artifact in (expected, continued)]
    assert weights[0] == weights[1]
