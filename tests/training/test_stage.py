import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from transformers import AutoTokenizer

from dragon_core.artifacts import Artifact, ArtifactStore, make
from dragon_core.modeling import DragonForPreTraining
from dragon_core.training import NonFiniteLossError, TrainingError, TrainingParams
from tests.training.encoders import write_encoder
from tests.training.shards import random_rows
from tests.training.stages import SHARD_SIZES, SmallGraph, SmallGraphParams, pretrain_stage

STEPS = 12


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def uninterrupted(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Of a whole run in this process."""
    store = ArtifactStore(str(tmp_path_factory.mktemp("store")))
    return make(pretrain_stage(store, encoder), store)


def digests(artifact: Artifact) -> dict[str, str]:
    return {file.name: file.sha256 for file in artifact.manifest.files}


def run_until_killed(store: Path, encoder: Path, at_step: int | None) -> list[str]:
    """Pretrain in a process of its own, and kill it (-9) once it reports `at_step`; returns what it printed."""
    command = [sys.executable, "-m", "tests.training.stages", str(store), str(encoder), str(STEPS)]
    lines = []
    root = Path(__file__).parents[2]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            if line.strip() == f"step {at_step}":
                process.send_signal(signal.SIGKILL)
    assert process.returncode == (0 if at_step is None else -signal.SIGKILL)
    return lines


def test_what_is_written(uninterrupted: Artifact, encoder: Path) -> None:
    model = DragonForPreTraining.from_pretrained(uninterrupted.folder)
    assert model.config.num_edge_types == 2 * (2 + 3)
    assert AutoTokenizer.from_pretrained(uninterrupted.folder).mask_token == "[MASK]"
    start = load_file(encoder / "model.safetensors")["bert.embeddings.word_embeddings.weight"]
    assert not torch.equal(model.dragon.get_input_embeddings().weight, start)
    curves = pq.read_table(uninterrupted.path("curves.parquet"))
    assert curves["step"].to_pylist() == list(range(STEPS + 1))
    assert curves["loss"].null_count == 1
    assert [i for i, v in enumerate(curves["evaluation_mlm_loss"].to_pylist()) if v is not None] == [0, 5, 10, 12]
    assert curves["evaluation_link_hits_at_10"].null_count == STEPS + 1 - 4
    metrics = json.loads(uninterrupted.path("metrics.json").read_text())
    assert (metrics["before"]["step"], metrics["after"]["step"]) == (0, STEPS)
    assert metrics["after"]["mlm_loss"] < metrics["before"]["mlm_loss"]
    assert uninterrupted.path("curves.png").read_bytes().startswith(b"\x89PNG")
    counts = uninterrupted.manifest.counts
    assert counts["train_segments"] + counts["evaluation_segments"] == sum(SHARD_SIZES)


def test_a_run_killed_twice_gives_the_same_bytes(uninterrupted: Artifact, encoder: Path, tmp_path: Path) -> None:
    first = run_until_killed(tmp_path, encoder, at_step=9)
    assert first == [f"step {i}" for i in range(1, 10)]
    checkpoints = next(tmp_path.glob("checkpoint/*/.scratch/*/checkpoints"))
    newest = max(checkpoints.glob("step-*.pt"))
    assert newest.name == "step-00000008.pt"
    newest.write_bytes(newest.read_bytes()[:1000])
    # The one before is of step 5, the best so far.
    second = run_until_killed(tmp_path, encoder, at_step=7)
    assert second[0] == "step 6"
    rest = run_until_killed(tmp_path, encoder, at_step=None)
    assert rest == [f"step {i}" for i in range(6, STEPS + 1)]
    store = ArtifactStore(str(tmp_path))
    assert digests(store.get(uninterrupted.reference)) == digests(uninterrupted)
    assert not list(tmp_path.glob("checkpoint/*/.scratch"))


def test_the_way_of_execution_changes_nothing(uninterrupted: Artifact, encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    again = make(
        pretrain_stage(store, encoder, loader_workers=2, checkpoint_interval=5, gradient_checkpointing=True), store
    )
    assert digests(again) == digests(uninterrupted)


def test_accumulated_small_batches_learn_too(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    reports: list[dict[str, float]] = []
    stage = pretrain_stage(store, encoder, batch_size=4, gradient_accumulation=2, precision="bfloat16", steps=6)
    made = make(stage, store, lambda done, total, /, **numbers: reports.append({"done": done, **numbers}))
    assert [report["done"] for report in reports] == [1, 2, 3, 4, 5, 6]
    assert all(report["examples_per_second"] > 0 for report in reports)
    curves = pq.read_table(made.path("curves.parquet"))
    assert np.isfinite(curves["loss"].drop_null().to_numpy()).all()
    assert curves["new_learning_rate"].to_pylist()[1:3] == [0.0005, 0.001]


@pytest.mark.parametrize(
    ("settings", "measured", "missing"),
    [
        ({"num_fusion_layers": -1}, "mlm_loss", "link_loss"),
        ({"max_link_targets": 0}, "mlm_loss", "link_loss"),
        ({"mask_share": 0.0}, "link_loss", "mlm_loss"),
        ({"interaction": "none"}, "link_loss", ""),
        ({"interaction": "once"}, "link_loss", ""),
        ({"link_decoder": "rotate"}, "link_loss", ""),
        ({"num_fusion_layers": -1, "graph_as_text": True}, "mlm_loss", "link_loss"),
    ],
    ids=str,
)
def test_ablations_train(
    encoder: Path, tmp_path: Path, settings: dict[str, object], measured: str, missing: str
) -> None:
    store = ArtifactStore(str(tmp_path))
    made = make(pretrain_stage(store, encoder, steps=3, **settings), store)
    metrics = json.loads(made.path("metrics.json").read_text())
    assert np.isfinite(metrics["after"][measured])
    assert missing not in metrics["after"]
    model = DragonForPreTraining.from_pretrained(made.folder)
    assert {name: getattr(model.config, name, value) for name, value in settings.items()} == settings


def test_a_loss_that_is_not_a_number_names_step_and_segments(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    stage = pretrain_stage(
        store, encoder, encoder_learning_rate=1.0, new_learning_rate=1.0, max_gradient_norm=1e30, steps=12
    )
    table = store.get(stage.entity_table).path("entities.npy")
    entities = np.load(table)
    row = next(row for row in random_rows(sum(SHARD_SIZES)) if row["node_id"])
    entities[row["node_id"][0]] = np.inf  # type: ignore[index]
    np.save(table, entities)
    with pytest.raises(NonFiniteLossError, match=r"loss of step \d+ is nan, .* \(segments \[1\d{3}, "):
        make(stage, store)
    assert store.find(stage) is None


def test_subgraphs_of_another_graph_are_refused(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    stage = pretrain_stage(store, encoder)
    other = make(SmallGraph(params=SmallGraphParams(nodes=60)), store)
    with pytest.raises(TrainingError, match="was made with the graph graph/"):
        make(stage.model_copy(update={"graph": other.reference}), store)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"num_negatives": 3}, {"warmup_steps": 700}, {"learning_rate": 1}])
def test_impossible_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        TrainingParams(**wrong)
