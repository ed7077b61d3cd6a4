"""Several real processes, over gloo, make the model that one makes."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from dragon_core.artifacts import Artifact, ArtifactStore, begin, make, silent
from dragon_core.artifacts.exclusion import only_one
from dragon_core.training import Execution, Pretrain
from flows import child_processes
from tests.training.encoders import write_encoder
from tests.training.stages import pretrain_stage

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="several processes would need a GPU each")

# An epoch has 55 examples. Nothing is random but the data, so that one process and several can be compared.
SETTINGS = {"steps": 30, "batch_size": 11, "warmup_steps": 1, "graph_dropout": 0.0, "encoder_frozen_steps": 3}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"), dropout=0.0)


@pytest.fixture(scope="module")
def alone(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    store = ArtifactStore(str(tmp_path_factory.mktemp("store")))
    return make(pretrain_stage(store, encoder, **SETTINGS), store)


@pytest.fixture(scope="module")
def together(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("store")
    stage = pretrain_stage(ArtifactStore(str(folder)), encoder, **SETTINGS, num_processes=2)
    return made_by_processes(stage, folder)


def start(stage: Pretrain, store: Path) -> "subprocess.Popen[str]":
    """Pretrain in as many processes as the stage says."""
    path = store / "stage.json"
    path.write_text(stage.model_dump_json())
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(stage.execution.num_processes), "-m"]
    command = [sys.executable, "-m", *launcher, "dragon_core.training.worker", str(path), str(store)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    pipe = subprocess.PIPE
    with messages_of(store).open("w") as messages:
        # By the pipe at its stdin, it ends when this process does.
        return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=messages, text=True)


def messages_of(store: Path) -> Path:
    return store / "messages.txt"


def made_by_processes(stage: Pretrain, store: Path) -> Artifact:
    with start(stage, store) as process:
        assert process.stdout is not None
        reports = process.stdout.read()
    assert process.returncode == 0, messages_of(store).read_text()[-4000:]
    assert '"error"' not in reports
    found = ArtifactStore(str(store)).find(stage)
    assert found is not None
    return found


def killed_at(stage: Pretrain, store: Path, step: int, number: signal.Signals) -> list[int]:
    """Pretrain until `step` is reported, then send a signal to all processes (SIGTERM: to the one that started them).

    Returns:
        The steps that were reported.
    """
    steps = []
    with start(stage, store) as process:
        assert process.stdout is not None
        for line in process.stdout:
            steps.append(json.loads(line)["done"])
            if steps[-1] == step:
                family = [psutil.Process(process.pid)]
                if number == signal.SIGKILL:
                    family += family[0].children(recursive=True)
                for member in family:
                    # One that ends with another may be gone already.
                    with suppress(psutil.NoSuchProcess):
                        member.send_signal(number)
    assert ArtifactStore(str(store)).find(stage) is None
    return steps


def checkpoints_of(store: Path) -> list[str]:
    return sorted(path.name for path in store.glob("checkpoint/*/.scratch/*/checkpoints/step-*.json"))


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def assert_same(one: Artifact, other: Artifact) -> None:
    """All losses are equal to 1e-5, and the weights less strictly."""
    curves, others = (pq.read_table(artifact.path("curves.parquet")).to_pandas() for artifact in (one, other))
    losses = [name for name in curves if name.endswith(("step", "loss", "rate"))]
    np.testing.assert_allclose(others[losses].to_numpy(), curves[losses].to_numpy(), rtol=1e-5, atol=1e-5)
    weights, others = (load_file(artifact.path("model.safetensors")) for artifact in (one, other))
    assert set(weights) == set(others)
    for name, value in weights.items():
        # A bias before batch normalisation changes nothing: its gradient is rounding, which Adam makes steps of.
        if not name.endswith((".input.bias", ".running_mean")):
            np.testing.assert_allclose(others[name].numpy(), value.numpy(), rtol=1e-2, atol=1e-3, err_msg=name)


def test_two_processes_make_the_model_that_one_makes(alone: Artifact, together: Artifact) -> None:
    assert alone.reference == together.reference
    assert_same(alone, together)


def test_two_processes_that_were_killed_go_on_as_if_they_were_not(
    together: Artifact, encoder: Path, tmp_path: Path
) -> None:
    stage = pretrain_stage(ArtifactStore(str(tmp_path)), encoder, **SETTINGS, num_processes=2)
    killed_at(stage, tmp_path, 10, signal.SIGKILL)
    made = made_by_processes(stage, tmp_path)
    assert {f.name: f.sha256 for f in made.manifest.files} == {f.name: f.sha256 for f in together.manifest.files}


def test_a_model_in_parts_goes_on_in_parts_or_whole(alone: Artifact, encoder: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    stage = pretrain_stage(
        ArtifactStore(str(store)), encoder, **SETTINGS, checkpoint_interval=9, num_processes=2, strategy="fsdp"
    )
    killed_at(stage, store, 20, signal.SIGKILL)
    assert checkpoints_of(store)
    copied = ArtifactStore(shutil.copytree(store, tmp_path / "copy").as_posix())
    assert_same(alone, made_by_processes(stage, store))
    assert_same(alone, make(stage.model_copy(update={"execution": Execution(num_threads=1)}), copied))


def test_an_encoder_in_parts_stays_as_it_is(encoder: Path, tmp_path: Path) -> None:
    settings = SETTINGS | {"steps": 6, "encoder_learning_rate": 0, "encoder_frozen_steps": 0}
    store = ArtifactStore(str(tmp_path / "one"))
    one = make(pretrain_stage(store, encoder, **settings), store)
    parts = {"num_processes": 2, "strategy": "fsdp"}
    stage = pretrain_stage(ArtifactStore(str(tmp_path / "two")), encoder, **settings, **parts)
    assert_same(one, made_by_processes(stage, tmp_path / "two"))


@pytest.mark.parametrize("accumulation", [1, 100])
def test_sigterm_leaves_a_checkpoint_of_the_last_whole_step(encoder: Path, tmp_path: Path, accumulation: int) -> None:
    # So long that the signal comes before the end, and no checkpoint is due before it.
    settings = SETTINGS | {"steps": 4000, "evaluation_interval": 4000, "checkpoint_interval": 4000}
    execution = {"num_processes": 2, "loader_workers": 1}
    stage = pretrain_stage(
        ArtifactStore(str(tmp_path)), encoder, **settings, **execution, gradient_accumulation=accumulation
    )
    # To a group, workers of the loader included, as a batch system and the launcher send it.
    steps = killed_at(stage, tmp_path, 1, signal.SIGTERM)
    assert steps[-1] < 4000
    assert checkpoints_of(tmp_path) == [f"step-{steps[-1]:08}.json"]
    assert not [process for process in psutil.process_iter() if str(tmp_path) in _command_line(process)]


def test_the_first_process_does_not_leave_the_others_waiting_for_it(
    alone: Artifact, encoder: Path, tmp_path: Path
) -> None:
    store = ArtifactStore(str(tmp_path))
    stage = pretrain_stage(store, encoder, **SETTINGS, num_processes=2)
    (tmp_path / "stage.json").write_text(stage.model_dump_json())
    command = [sys.executable, "-m", "dragon_core.training.worker", str(tmp_path / "stage.json"), str(tmp_path)]
    environment = os.environ | {"RANK": "0", "WORLD_SIZE": "2", "PYTHONPATH": str(Path(__file__).parents[2])}
    pipe = subprocess.PIPE
    with only_one(store.lock(stage.reference), "it"):
        process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert process.stderr is not None
        assert any("waiting for it" in line for line in process.stderr)
        # As another run would have made it meanwhile.
        shutil.copytree(alone.folder, store.folder(stage.reference).path, dirs_exist_ok=True)
    with process:
        assert process.stdout is not None
        report = json.loads(process.stdout.readline())
        assert process.wait() == 1
    assert "is there already: another run made it" in report["error"]


def test_a_run_takes_what_another_one_makes_meanwhile(
    alone: Artifact, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ArtifactStore(str(tmp_path))
    stage = pretrain_stage(store, encoder, **SETTINGS, num_processes=2)
    other_run = ExitStack()

    def begin_before_the_other(stage: Pretrain, store: ArtifactStore) -> None:
        begin(stage, store)
        other_run.enter_context(only_one(store.lock(stage.reference), "it"))

    class Watching(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "waiting for it" in record.getMessage():
                shutil.copytree(alone.folder, store.folder(stage.reference).path, dirs_exist_ok=True)
                other_run.close()

    monkeypatch.setattr(child_processes, "begin", begin_before_the_other)
    log = logging.Logger("of the run")
    log.addHandler(Watching())
    with other_run:
        assert child_processes.pretrain_in_processes(stage, store.url, silent, log) == stage.reference
    assert store.get(stage.reference).manifest.created == alone.manifest.created


def test_a_process_whose_share_of_a_batch_is_empty_adds_nothing(encoder: Path, tmp_path: Path) -> None:
    settings = SETTINGS | {"batch_size": 1, "steps": 6}
    store = ArtifactStore(str(tmp_path / "one"))
    one = make(pretrain_stage(store, encoder, **settings), store)
    stage = pretrain_stage(ArtifactStore(str(tmp_path / "two")), encoder, **settings, num_processes=2)
    two = made_by_processes(stage, tmp_path / "two")
    losses = [pq.read_table(made.path("curves.parquet"))["loss"].drop_null().to_numpy() for made in (one, two)]
    # All but the statistics of batch normalisation, which count the context node of the empty graph.
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.02)


def test_parts_of_a_batch_that_are_accumulated_have_its_loss(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    # The 55 examples of an epoch, as one batch and as eleven, which ask for different numbers of tokens.
    settings = SETTINGS | {"steps": 1, "warmup_steps": 0, "encoder_frozen_steps": 0, "num_fusion_layers": -1}
    whole, parts = (
        make(pretrain_stage(store, encoder, **settings | {"batch_size": size}, gradient_accumulation=55 // size), store)
        for size in (55, 5)
    )
    curves = [pq.read_table(artifact.path("curves.parquet")) for artifact in (whole, parts)]
    for name in ("loss", "gradient_norm"):
        assert curves[0][name].to_pylist()[1] == pytest.approx(curves[1][name].to_pylist()[1], rel=1e-5)
