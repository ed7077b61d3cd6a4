import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import AutoTokenizer

from dragon_core.artifacts import Artifact, ArtifactStore, make
from dragon_core.modeling import DragonForPreTraining
from dragon_core.training import Execution, NonFiniteLossError, Pretrain, TrainingError, TrainingParams
from tests.devices import on_a_cpu
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


@on_a_cpu
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


@on_a_cpu
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
        ({"link_decoder": "complex"}, "link_loss", ""),
        ({"negatives": "published", "masking": "spans"}, "link_loss", ""),
        ({"negatives": "relation-aware", "schedule": "cosine"}, "link_loss", ""),
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


def test_how_it_is_carried_out_is_in_no_key(encoder: Path, tmp_path: Path) -> None:
    stage = pretrain_stage(ArtifactStore(str(tmp_path)), encoder)
    other = stage.model_copy(update={"execution": Execution(num_processes=4, num_threads=7)})
    assert other != stage
    assert other.reference == stage.reference
    assert Pretrain.model_validate_json(other.model_dump_json()) == other


def test_a_loss_that_is_not_a_number_names_step_and_segments_and_checkpoints_stay(
    encoder: Path, tmp_path: Path
) -> None:
    store = ArtifactStore(str(tmp_path))
    stage = pretrain_stage(store, encoder, batch_size=1, checkpoint_interval=1, evaluation_interval=100, steps=60)
    table = store.get(stage.entity_table).path("entities.npy")
    entities = np.load(table)
    nodes = Counter(node for row in random_rows(sum(SHARD_SIZES)) for node in row["node_id"])  # type: ignore[attr-defined]
    rarest = min(nodes, key=lambda node: nodes[node])
    entities[rarest] = np.inf
    np.save(table, entities)
    with pytest.raises(NonFiniteLossError, match=r"loss of step \d+ is nan, .* \(segments \[1\d{3}\]\)") as raised:
        make(stage, store)
    assert store.find(stage) is None
    step, segment = (int(re.findall(pattern, str(raised.value))[0]) for pattern in (r"step (\d+)", r"\[(\d+)\]"))
    row = next(row for row in random_rows(sum(SHARD_SIZES)) if row["segment_id"] == segment)
    assert rarest in row["node_id"]  # type: ignore[operator]
    assert step > 2
    kept = sorted(path.name for path in tmp_path.glob("checkpoint/*/.scratch/*/checkpoints/step-*.pt"))
    assert kept == [f"step-{step - 2:08}.pt", f"step-{step - 1:08}.pt"]


def test_subgraphs_of_another_graph_are_refused(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    stage = pretrain_stage(store, encoder)
    other = make(SmallGraph(params=SmallGraphParams(nodes=60)), store)
    with pytest.raises(TrainingError, match="was made with the graph graph/"):
        make(stage.model_copy(update={"graph": other.reference}), store)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"num_negatives": 3},
        {"warmup_steps": 700},
        {"learning_rate": 1},
        {"encoder_learning_rate": 0, "encoder_frozen_steps": 1},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        TrainingParams(**wrong)


def test_the_best_model_is_kept(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    # The rate is so large that training does harm after a while.
    settings = {"steps": 20, "encoder_learning_rate": 0.5, "evaluation_interval": 1, "schedule": "constant"}
    best, last = (make(pretrain_stage(store, encoder, **settings, kept_model=kept), store) for kept in ("best", "last"))
    metrics = json.loads(best.path("metrics.json").read_text())
    losses = {entry["step"]: entry["loss"] for entry in metrics["evaluations"] if entry["step"] > 0}
    assert metrics["after"]["loss"] == min(losses.values()) < losses[20]
    assert json.loads(last.path("metrics.json").read_text())["after"]["step"] == 20
    weights = [load_file(artifact.path("model.safetensors")) for artifact in (best, last)]
    assert any(not torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_an_encoder_whose_learning_rate_is_0_stays_as_it_is_while_the_rest_learns(
    encoder: Path, tmp_path: Path
) -> None:
    store = ArtifactStore(str(tmp_path))
    made = make(pretrain_stage(store, encoder, encoder_learning_rate=0, steps=6), store)
    model = DragonForPreTraining.from_pretrained(made.folder)
    before = DragonForPreTraining.from_encoder(encoder, None, num_fusion_layers=-1)
    for name, value in before.state_dict().items():
        if "pooler" not in name:
            assert torch.equal(model.state_dict()[name], value), name
    metrics = json.loads(made.path("metrics.json").read_text())
    assert metrics["after"]["loss"] != metrics["before"]["loss"]
    curves = pq.read_table(made.path("curves.parquet"))
    assert curves["encoder_learning_rate"].null_count == len(curves)


def test_what_would_train_nothing_is_refused(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    with pytest.raises(TrainingError, match="nothing would be trained: the model is a language model alone"):
        make(pretrain_stage(store, encoder, encoder_learning_rate=0, num_fusion_layers=-1), store)


def test_what_text_and_graph_do_for_each_other_is_measured(uninterrupted: Artifact) -> None:
    metrics = json.loads(uninterrupted.path("metrics.json").read_text())
    assert set(metrics["without_graph"]) == {"mlm_loss", "mlm_accuracy", "loss"}
    assert {"link_loss", "link_mrr", "link_hits_at_1", "link_hits_at_3", "link_hits_at_10"} < set(
        metrics["without_text"]
    )
    assert "mlm_loss" not in metrics["without_text"]


def test_the_model_card_names_data_settings_and_results(uninterrupted: Artifact) -> None:
    card = uninterrupted.path("README.md").read_text()
    for record in uninterrupted.manifest.inputs.values():
        assert str(record.reference or record.digest[:12]) in card
    metrics = json.loads(uninterrupted.path("metrics.json").read_text())
    for wanted in (
        f"{metrics['after']['mlm_loss']:.4g}",
        "| batch_size | 8 |",
        "curves.png",
        "| train segments | 55 |",
    ):
        assert wanted in card


@pytest.mark.parametrize("kept", ["text", "graph"])
def test_segments_of_text_alone_or_graph_alone_are_trained_on(encoder: Path, tmp_path: Path, kept: str) -> None:
    store = ArtifactStore(str(tmp_path))
    made = make(pretrain_stage(store, encoder, kept=kept, steps=3), store)
    metrics = json.loads(made.path("metrics.json").read_text())
    assert ("mlm_loss" in metrics["after"], "link_loss" in metrics["after"]) == (kept == "text", kept == "graph")
    assert metrics["after"]["loss"] != metrics["before"]["loss"]


def test_curves_go_to_tensorboard_as_well(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    folder = tmp_path / "tracking"
    made = make(pretrain_stage(store, encoder, trackers=("tensorboard",), tracking_folder=str(folder), steps=4), store)
    events = EventAccumulator(str(folder / made.reference.key / "dragon"))
    events.Reload()
    curves = pq.read_table(made.path("curves.parquet"))
    assert [event.step for event in events.Scalars("loss")] == [1, 2, 3, 4]
    assert [event.value for event in events.Scalars("loss")] == pytest.approx(curves["loss"].to_pylist()[1:])
    assert [event.step for event in events.Scalars("evaluation_link_mrr")] == [0, 4]


def test_a_tracker_that_is_not_installed_is_refused(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accelerate.tracking._available_trackers", [])
    store = ArtifactStore(str(tmp_path))
    with pytest.raises(TrainingError, match=r"tracker wandb is not installed; run: make .venv/installed-tracking"):
        make(pretrain_stage(store, encoder, trackers=("wandb",)), store)


def test_a_tokenizer_that_does_not_fit_the_encoder_is_refused(encoder: Path, tmp_path: Path) -> None:
    wrong = shutil.copytree(encoder, tmp_path / "encoder")
    tokenizer = AutoTokenizer.from_pretrained(wrong)
    tokenizer.add_tokens(["one", "token", "too", "many"])
    tokenizer.save_pretrained(wrong)
    store = ArtifactStore(str(tmp_path / "store"))
    with pytest.raises(
        TrainingError, match=r"tokenizer of the encoder .* has \d+ tokens, its model embeddings for \d+"
    ):
        make(pretrain_stage(store, wrong), store)


def test_half_precision_needs_a_gpu(encoder: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    store = ArtifactStore(str(tmp_path))
    with pytest.raises(TrainingError, match="needs a GPU"):
        make(pretrain_stage(store, encoder, precision="float16"), store)


def test_a_length_that_the_encoder_cannot_read_is_refused(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    with pytest.raises(TrainingError, match=r"max_length is 65, and the encoder .* reads 64 tokens at most"):
        make(pretrain_stage(store, encoder, max_length=65), store)


def test_a_compiled_model_learns_the_same(tmp_path: Path) -> None:
    small = write_encoder(tmp_path / "encoder", layers=1, dropout=0.0)
    settings = {"steps": 1, "warmup_steps": 0, "num_fusion_layers": -1}
    stores = [ArtifactStore(str(tmp_path / name)) for name in ("plain", "compiled")]
    plain, compiled = (
        make(pretrain_stage(store, small, **settings, compile=is_compiled), store)
        for store, is_compiled in zip(stores, (False, True), strict=True)
    )
    assert compiled.reference == plain.reference
    losses = [pq.read_table(artifact.path("curves.parquet"))["loss"].to_pylist() for artifact in (plain, compiled)]
    assert losses[1][1:] == pytest.approx(losses[0][1:], rel=1e-4)
    assert set(load_file(compiled.path("model.safetensors"))) == set(load_file(plain.path("model.safetensors")))


def test_many_batches_of_a_step_keep_no_files_open(encoder: Path, tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        stage = pretrain_stage(store, encoder, steps=1, warmup_steps=0, gradient_accumulation=60, loader_workers=2)
        assert make(stage, store).manifest.counts["steps"] == 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
