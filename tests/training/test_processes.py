"""Several real processes, over gloo, make the model that one makes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file

from dragon_core.artifacts import Artifact, ArtifactStore, make
from dragon_core.training import Pretrain
from tests.training.encoders import write_encoder
from tests.training.stages import pretrain_stage

STEPS = 6
# An epoch has 55 examples.
SETTINGS = {"steps": STEPS, "batch_size": 11, "warmup_steps": 1, "graph_dropout": 0.0, "encoder_learning_rate": 1e-3}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"), dropout=0.0)


@pytest.fixture(scope="module")
def alone(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    store = ArtifactStore(str(tmp_path_factory.mktemp("store")))
    return make(pretrain_stage(store, encoder, **SETTINGS), store)


def start(stage: Pretrain, store: Path) -> "subprocess.Popen[str]":
    """Pretrain in as many processes as the stage says."""
    path = store / "stage.json"
    path.write_text(stage.model_dump_json())
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(stage.execution.num_processes), "-m"]
    several = launcher if stage.execution.num_processes > 1 else []
    command = [sys.executable, "-m", *several, "dragon_core.training.worker", str(path), str(store)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def made_by_processes(stage: Pretrain, store: Path) -> Artifact:
    output, errors = start(stage, store).communicate()
    found = ArtifactStore(str(store)).find(stage)
    assert found is not None, output + errors
    return found


def steps_of(lines: Iterator[str]) -> Iterator[int]:
    return (json.loads(line)["done"] for line in lines)


def assert_same(one: Artifact, other: Artifact, tolerance: float) -> None:
    """Curves and weights are equal to a relative tolerance."""
    curves, others = (pq.read_table(artifact.path("curves.parquet")).to_pandas() for artifact in (one, other))
    np.testing.assert_allclose(others.to_numpy(), curves.to_numpy(), rtol=tolerance, atol=tolerance)
    weights, others = (load_file(artifact.path("model.safetensors")) for artifact in (one, other))
    assert set(weights) == set(others)
    # A bias before batch normalisation changes nothing: its gradient is rounding, which Adam makes steps of.
    for name, value in weights.items():
        if not name.endswith((".input.bias", ".running_mean")):
            np.testing.assert_allclose(others[name].numpy(), value.numpy(), rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_make_the_model_that_one_makes(
    alone: Artifact, encoder: Path, tmp_path: Path, strategy: str
) -> None:
    stage = pretrain_stage(ArtifactStore(str(tmp_path)), encoder, **SETTINGS, num_processes=2, strategy=strategy)
    assert stage.reference == alone.reference
    assert_same(alone, made_by_processes(stage, tmp_path), 1e-5)


def test_a_process_whose_share_of_a_batch_is_empty_adds_nothing(encoder: Path, tmp_path: Path) -> None:
    losses = []
    for processes in (1, 2):
        (tmp_path / str(processes)).mkdir()
        store = ArtifactStore(str(tmp_path / str(processes)))
        stage = pretrain_stage(store, encoder, **SETTINGS | {"batch_size": 1}, num_processes=processes)
        made = made_by_processes(stage, tmp_path / str(processes))
        losses.append(pq.read_table(made.path("curves.parquet"))["loss"].drop_null().to_numpy())
    # All but the statistics of batch normalisation, which count the context node of the empty graph.
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.02)


def test_accumulated_parts_of_a_batch_make_the_model_that_the_batch_makes(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    # One epoch of one window has 55 examples.
    common = SETTINGS | {"steps": 1, "warmup_steps": 0, "max_link_targets": 0}
    whole = make(pretrain_stage(store, encoder, **common | {"batch_size": 55}), store)
    parts = make(pretrain_stage(store, encoder, **common | {"batch_size": 5, "gradient_accumulation": 11}), store)
    losses = [pq.read_table(artifact.path("curves.parquet"))["mlm_loss"].to_pylist()[1] for artifact in (whole, parts)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
