"""Published checkpoints converted both ways: random small ones of every layout, and the full-size layouts."""

import argparse
import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from benchmarks.golden import Golden, batch_of
from dragon_core.modeling import DragonConfig, DragonForMultipleChoice, DragonForPreTraining
from dragon_core.modeling.conversion import ConversionError, Published, as_ours, convert, to_published
from tests.modeling.naive import Options, Tensors, naive_of
from tests.modeling.random_golden import BACKBONE, PLAIN, golden_options, random_inputs
from tests.modeling.test_backbones import BACKBONES, config_on
from tests.shared_data import GOLDEN

# Training-script names of constructor options.
SCRIPT_NAMES = {"concept_dim": "gnn_dim", "n_attention_head": "att_head_num", "n_fc_layer": "fc_layer_num"}


def published(values: Options, seed: int = 0) -> tuple[Tensors, argparse.Namespace]:
    """A random published checkpoint."""
    torch.manual_seed(seed)
    model = naive_of(values)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=float("Norm.weight" in name), std=0.3)
    options = {SCRIPT_NAMES.get(name, name): value for name, value in (values["model"] | values["args"]).items()}
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}, argparse.Namespace(**options)


def written(folder: Path, tensors: Tensors, options: argparse.Namespace | None) -> Path:
    file = folder / "model.pt"
    torch.save({"model": tensors, "epoch": 3} | ({} if options is None else {"config": options}), file)
    return file


def as_used(values: Options) -> Options:
    """RoBERTa as published has one type of token, and an epsilon that is not transformers' default."""
    if values["backbone"] == "bert":
        return values
    return values | {"backbone_config": BACKBONE | {"type_vocab_size": 1, "layer_norm_eps": 1e-5}}


@given(golden_options(), st.integers(0, 100))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_converted_checkpoint_computes_the_same_and_converts_back(
    tmp_path_factory: pytest.TempPathFactory, options: Options, seed: int
) -> None:
    values, folder = as_used(options), tmp_path_factory.mktemp("conversion")
    tensors, script_options = published(values, seed)
    config = convert(written(folder, tensors, script_options), folder / "ours", attention_heads=2)
    assert config.num_fusion_layers == values["model"]["k"]

    torch.manual_seed(seed)
    inputs = random_inputs(values)
    naive = naive_of(values).eval()
    naive.load_state_dict(tensors)
    golden = Golden(config, {}, inputs, {}, torch.arange(2), bool(values["args"]["mlm_task"]), False, True)
    batch, _ = batch_of(golden, padding=False)
    model = DragonForMultipleChoice.from_pretrained(folder / "ours").eval()
    if config.has_graph:
        model.dragon.load_entities(folder / "ours" / "entities.npy")
    with torch.no_grad():
        text, nodes = naive.encode(inputs)
        expected = naive.logits(inputs, naive.lm.pooler(text), nodes).view(2, 2)
        torch.testing.assert_close(model(num_choices=2, **batch).logits, expected, atol=2e-5, rtol=1e-4)

    to_published(folder / "ours", folder / "back.pt")
    back = Published.read(folder / "back.pt")
    never_read = ["seq_relationship", *(["ie_"] if config.interaction == "none" else [])]
    never_read += ["emb_node_type", "emb_score", ".Vh.", ".Vx."] if values["model"]["k"] < 0 else []
    kept = {name for name in tensors if not any(part in name for part in never_read)}
    assert set(back.tensors) == kept
    for name in kept:
        torch.testing.assert_close(back.tensors[name], tensors[name], rtol=0, atol=0)
    assert back.options.items() >= {k: v for k, v in vars(script_options).items() if k.startswith("link_gamma")}.items()


def test_without_options_names_and_shapes_must_do(tmp_path: Path) -> None:
    values = as_used(PLAIN | {"model": PLAIN["model"] | {"sep_ie_layers": True, "n_fc_layer": 1}})
    tensors, _ = published(values)
    config = convert(written(tmp_path, tensors, None), tmp_path / "ours", attention_heads=2)
    model = values["model"]
    assert config.backbone.model_type == "roberta"
    assert (config.num_fusion_layers, config.num_edge_types, config.node_size) == (2, model["n_etype"], 8)
    assert (config.separate_interaction, config.interaction_depth, config.interaction_size) == (True, 1, 10)
    assert (config.interaction_residual, config.link_normalization, config.link_decoder) == (
        *("layer-norm", "layer-norm"),
        "distmult",
    )
    assert (config.classifier_depth, config.classifier_size) == (1, 6)


def test_greaselm_calls_its_language_model_mp(tmp_path: Path) -> None:
    values = as_used(PLAIN | {"args": PLAIN["args"] | {"mlm_task": 0, "link_task": 0, "residual_ie": 0}})
    tensors, _ = published(values)
    tensors = {name.replace("lmgnn.roberta.", "lmgnn.mp."): tensor for name, tensor in tensors.items()}
    config = convert(written(tmp_path, tensors, None), tmp_path / "ours", attention_heads=2)
    assert config.backbone.model_type == "roberta"
    assert config.interaction_residual == "none"
    assert config.architectures == ["DragonForMultipleChoice"]
    assert isinstance(DragonForMultipleChoice.from_pretrained(tmp_path / "ours"), DragonForMultipleChoice)


@pytest.mark.parametrize("name", ["general", "biomed"])
def test_the_full_published_layouts(name: str) -> None:
    file = GOLDEN / f"published_layout_{name}.json"
    if not file.exists():
        pytest.skip(f"{file} is not there; set DRAGON_SHARED_DATA")
    shapes = json.loads(file.read_text())
    tensors = {tensor: torch.empty(shape, device="meta") for tensor, shape in shapes.items()}
    config, ours = as_ours(Published(tensors, {}))
    with torch.device("meta"):
        model = DragonForPreTraining(DragonConfig.from_dict(config.to_dict() | {"entities": "trainable"}))
    expected = {tensor: value.shape for tensor, value in model.state_dict().items()}
    assert expected == {tensor: value.shape for tensor, value in ours.items() if not tensor.startswith("classifier")}
    assert (config.num_fusion_layers, config.node_size, config.entity_size) == (5, 200, 1024)
    assert (config.backbone.num_hidden_layers, config.backbone.num_attention_heads) == (24, 16)
    assert config.backbone.model_type == {"general": "roberta", "biomed": "bert"}[name]


def test_missing_unknown_and_misshapen_tensors_are_each_named(tmp_path: Path) -> None:
    values = as_used(PLAIN)
    tensors, options = published(values)
    broken = dict(tensors)
    broken["lmgnn.roberta.Vx.weight"] = torch.zeros(8, 7)
    del broken["lmgnn.roberta.encoder.gnn_layers.1.mlp.3.bias"]
    del broken["lmgnn.pooler.w_ks.bias"]
    file = written(tmp_path, broken, options)
    with pytest.raises(ConversionError) as caught:
        convert(file, tmp_path / "ours", attention_heads=2)
    message = str(caught.value)
    assert "lmgnn.roberta.Vx.weight is [8, 7], not [8, 8]" in message
    assert "lmgnn.roberta.encoder.gnn_layers.1.mlp.3.bias is missing" in message
    assert "lmgnn.pooler.w_ks.bias is missing" in message
    assert not (tmp_path / "ours").exists()

    with pytest.raises(ConversionError, match=r"Not tensors of the published model: lmgnn\.a, lmgnn\.b\."):
        convert(written(tmp_path, tensors | {"lmgnn.b": torch.ones(1), "lmgnn.a": torch.ones(1)}, None), tmp_path / "x")
    untied = tensors | {"lmgnn.lm_head.decoder.weight": torch.ones(50, 16)}
    with pytest.raises(ConversionError, match=r"lm_head\.decoder\.weight is not the same as the word embeddings"):
        convert(written(tmp_path, untied, None), tmp_path / "x", attention_heads=2)


class Bomb:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch exploded",)


def test_files_that_are_no_checkpoint_are_refused_and_run_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.pt").write_text("no checkpoint")
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps(Bomb()))
    torch.save({"model": Bomb()}, tmp_path / "bomb.pt")
    torch.save({"state_dict": {}}, tmp_path / "other.pt")
    torch.save({"model": {}}, tmp_path / "empty.pt")
    for name in ("text", "pickle", "bomb", "other", "empty", "nowhere"):
        with pytest.raises(ConversionError, match=f"{name}.pt|lacks a tensor"):
            convert(tmp_path / f"{name}.pt", tmp_path / "ours")
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "ours").exists()


def test_what_the_published_code_does_not_know_is_not_written(tmp_path: Path) -> None:
    for options, problem in (
        ({"text_vector": "mean"}, "the mean of a text's tokens speaks for the text"),
        ({"node_norm": True}, "has no tensor dragon.graph.norm"),
    ):
        folder = tmp_path / next(iter(options))
        DragonForPreTraining(config_on(BACKBONES["bert"], **options)).save_pretrained(folder)
        with pytest.raises(ConversionError, match=problem):
            to_published(folder, tmp_path / "published.pt")
    assert not (tmp_path / "published.pt").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    tensors, options = published(as_used(PLAIN))
    file = written(tmp_path, tensors, options)
    (tmp_path / "folder").mkdir()
    convert(file, tmp_path / "ours", attention_heads=2)
    # Others may read it as they may read a folder that was made by hand, and no draft is left.
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "folder").stat().st_mode
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "ours", file.name}
    before = load_file(tmp_path / "ours" / "model.safetensors")
    with pytest.raises(ConversionError, match="exists; give a new folder"):
        convert(file, tmp_path / "ours", attention_heads=2)
    with pytest.raises(ConversionError, match="exists; give a new file"):
        to_published(tmp_path / "ours", file)
    (tmp_path / "ours" / "entities.npy").unlink()
    with pytest.raises(ConversionError, match=r"no entities\.npy"):
        to_published(tmp_path / "ours", tmp_path / "back.pt")
    assert before.keys() == load_file(tmp_path / "ours" / "model.safetensors").keys()
