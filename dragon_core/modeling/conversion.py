"""Published torch checkpoints to model folders that `from_pretrained` loads, and back."""

import argparse
import pickle
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, PreTrainedConfig, RobertaConfig

from dragon_core.embedding import ENTITIES_NAME
from dragon_core.errors import DragonError
from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.entity_table import open_entities
from dragon_core.modeling.modeling_dragon import DragonForMultipleChoice, DragonForPreTraining
from dragon_core.modeling.published import config_fields, our_name, published_names, published_options

WEIGHTS_NAME = "model.safetensors"
ENTITIES = "dragon.entities.weight"
# All published language models have heads of this width; neither names nor shapes tell how many there are.
HEAD_SIZE = 64
# Rows of the entity table that are copied at once, 256 MB of the published ones.
ROWS_AT_ONCE = 65536
# Parts of the model that a checkpoint may lack as a whole.
OPTIONAL_PARTS = ("lm_head.", "link_predictor.", "classifier.")

Tensors = dict[str, torch.Tensor]


class ConversionError(DragonError):
    """A file is not a published checkpoint, or a folder cannot be written as one."""


@dataclass(frozen=True)
class Published:
    """What a published checkpoint holds.

    Attributes:
        tensors: Under their published names.
        options: Those of the training script; none if the file does not have them.
    """

    tensors: Tensors
    options: dict[str, Any]

    @classmethod
    def read(cls, file: Path) -> "Published":
        """Read a torch file `{"model": state dict}`, with an `argparse.Namespace` under `config` if it has one.

        Nothing of the file but tensors and plain values is ever executed or built.

        Raises:
            ConversionError: The file is missing, damaged, holds other objects, or has no state dict under `model`.
        """
        try:
            with torch.serialization.safe_globals([argparse.Namespace]):
                # Without mmap the file would be in memory twice; files older than torch 1.6 cannot be mapped.
                mapped = _is_zip(file)
                content = torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
        except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConversionError(
                f"{file} cannot be read as a torch checkpoint ({reason}); give another file."
            ) from error
        tensors = content.get("model") if isinstance(content, dict) else None
        if not isinstance(tensors, Mapping) or not all(isinstance(t, torch.Tensor) for t in tensors.values()):
            raise ConversionError(f"{file} has no state dict under `model`; published checkpoints have one.")
        options = content.get("config", {})
        return cls(dict(tensors), dict(options) if isinstance(options, Mapping) else dict(vars(options)))


def convert(file: Path, out: Path, attention_heads: int | None = None) -> DragonConfig:
    """Turn a published checkpoint into a folder of `config.json`, `model.safetensors` and `entities.npy`.

    Args:
        file: The checkpoint.
        out: The folder, which must not exist; it appears whole or not at all.
        attention_heads: Of the language model; its width / 64 if not given.

    Returns:
        The configuration that was found.

    Raises:
        ConversionError: The file is not a published checkpoint, its tensors do not make a model (each missing, unknown
            or misshapen one is named), or the folder exists.
    """
    published = Published.read(file)
    config, tensors = as_ours(published, attention_heads)
    if out.exists():
        raise ConversionError(f"{out} exists; give a new folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f"{out.name}.{uuid.uuid4().hex}")
    try:
        draft.mkdir()
        table = tensors.pop(ENTITIES, None)
        if table is not None:
            _save_entities(table, draft / ENTITIES_NAME)
        answers_only = "lm_head.bias" not in tensors and "link_predictor.relations.weight" not in tensors
        config.architectures = [(DragonForMultipleChoice if answers_only else DragonForPreTraining).__name__]
        config.save_pretrained(draft)
        save_file({n: t.contiguous() for n, t in tensors.items()}, draft / WEIGHTS_NAME, metadata={"format": "pt"})
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return config


def as_ours(published: Published, attention_heads: int | None = None) -> tuple[DragonConfig, Tensors]:
    """The configuration of a published checkpoint, and its tensors under our names, each checked.

    Raises:
        ConversionError: Names every tensor that is unknown, missing or misshapen.
    """
    names: dict[str, str] = {}
    unknown = []
    for name in published.tensors:
        try:
            ours = our_name(name)
        except KeyError:
            unknown.append(name)
        else:
            names |= {} if ours is None else {ours: name}
    if unknown:
        raise ConversionError(f"Not tensors of the published model: {', '.join(sorted(unknown))}.")
    tensors = {ours: published.tensors[name] for ours, name in names.items()}
    try:
        config = _detected(tensors, published, attention_heads)
    except KeyError as error:
        raise ConversionError(f"The checkpoint lacks a tensor that says the model's shape, ours {error}.") from error
    except ValueError as error:
        raise ConversionError(f"The checkpoint makes no model: {error}.") from error
    expected = _expected(config, tensors)
    problems = [f"{_published(name, config)} is missing" for name in expected if name not in tensors]
    problems += [
        f"{names[name]} is {list(tensors[name].shape)}, not {list(shape)}"
        for name, shape in expected.items()
        if name in tensors and tensors[name].shape != shape
    ]
    # What a published model without exchange, or without a graph, has and never reads.
    unread = ("dragon.graph.exchange.",) if config.has_graph else ("dragon.graph.", "dragon.node_features.")
    surplus = [name for name in tensors if name not in expected and not name.startswith(unread)]
    problems += [f"{names[name]} is one too many" for name in surplus]
    problems += _untied(published.tensors)
    if problems:
        raise ConversionError(f"The checkpoint's tensors do not make a model: {'; '.join(sorted(problems))}.")
    return config, {name: tensors[name] for name in expected}


def to_published(folder: Path, file: Path) -> None:
    """Write a model folder as a published checkpoint: `{"model": state dict, "config": options}`.

    Raises:
        ConversionError: The folder holds no model, or one that the published code has no names for; or the file exists.
    """
    if not (folder / "config.json").is_file() or not (folder / WEIGHTS_NAME).is_file():
        raise ConversionError(f"{folder} holds no config.json with {WEIGHTS_NAME}; give the folder of a saved model.")
    if file.exists():
        raise ConversionError(f"{file} exists; give a new file.")
    config = DragonConfig.from_pretrained(folder)
    tensors = load_file(folder / WEIGHTS_NAME)
    if (folder / ENTITIES_NAME).is_file():
        tensors[ENTITIES] = open_entities(folder / ENTITIES_NAME)
    elif config.has_graph and ENTITIES not in tensors:
        raise ConversionError(
            f"{folder} has no {ENTITIES_NAME}, which the published checkpoints contain; put the entity table there."
        )
    if config.text_vector != "first":
        raise ConversionError(
            f"{folder} cannot be written as a published checkpoint: in it the {config.text_vector} of a text's tokens"
            " speaks for the text, there always the first."
        )
    try:
        state = {name: tensor for ours, tensor in tensors.items() for name in published_names(ours, config)}
    except KeyError as error:
        raise ConversionError(f"{folder} cannot be written as a published checkpoint: {error.args[0]}.") from error
    if "lm_head.bias" not in tensors:
        # The word embeddings are no output layer without the rest of the head.
        state = {name: tensor for name, tensor in state.items() if ".decoder." not in name}
    draft = file.with_name(f"{file.name}.draft")
    try:
        torch.save({"model": state, "config": argparse.Namespace(**published_options(config))}, draft)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


def _detected(tensors: Tensors, published: Published, attention_heads: int | None) -> DragonConfig:
    """The configuration: what names and shapes say, then what the options say, then the published defaults."""
    # Of what only the options tell, this is what a file without them is taken for.
    fields: dict[str, Any] = {"interaction_residual": "none", "link_normalization": "none", "use_node_scores": False}
    fields |= config_fields(published.options)
    fields |= {"num_fusion_layers": _count(tensors, r"dragon\.graph\.layers\.(\d+)\..*")}
    if ENTITIES in tensors:
        fields["num_entities"], fields["entity_size"] = tensors[ENTITIES].shape
        half, fields["num_node_types"] = tensors["dragon.node_features.type_encoder.weight"].shape
        fields["node_size"] = 2 * half
    else:
        fields["num_fusion_layers"] = -1
    if fields["num_fusion_layers"] > 0:
        edge_width = tensors["dragon.graph.edge_encoder.input.weight"].shape[1]
        fields["num_edge_types"] = edge_width - 1 - 2 * fields["num_node_types"]
        first = "dragon.graph.exchange.perceptrons.0.linears."
        fields["interaction_depth"] = _count(tensors, re.escape(first) + r"(\d+)\.weight") - 1
        if fields["interaction_depth"] > 0:
            fields["interaction_size"] = len(tensors[f"{first}0.weight"])
        fields["separate_interaction"] = any(".ie_layers." in name for name in published.tensors)
        if "dragon.graph.exchange.norm.weight" in tensors:
            fields["interaction_residual"] = "layer-norm"
    if "link_predictor.relations.weight" in tensors:
        fields["num_edge_types"], width = tensors["link_predictor.relations.weight"].shape
        fields["link_projection"] = "link_predictor.projection.weight" in tensors
        if "link_predictor.norm.weight" in tensors:
            fields["link_normalization"] = "layer-norm"
        if width != fields["node_size"]:
            fields["link_decoder"] = "rotate"
    depth = _count(tensors, r"classifier\.perceptron\.linears\.(\d+)\.weight") - 1
    if depth >= 0:
        fields["classifier_depth"] = depth
    if depth > 0:
        fields["classifier_size"] = len(tensors["classifier.perceptron.linears.0.weight"])
    return DragonConfig(backbone=_backbone(tensors, published, attention_heads), **fields)


def _backbone(tensors: Tensors, published: Published, attention_heads: int | None) -> PreTrainedConfig:
    vocabulary, hidden = tensors["dragon.backbone.embeddings.word_embeddings.weight"].shape
    positions = len(tensors["dragon.backbone.embeddings.position_embeddings.weight"])
    token_types = len(tensors["dragon.backbone.embeddings.token_type_embeddings.weight"])
    sizes: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "num_hidden_layers": _count(tensors, r"dragon\.backbone\.encoder\.layer\.(\d+)\..*"),
        "num_attention_heads": attention_heads or max(hidden // HEAD_SIZE, 1),
        "intermediate_size": len(tensors["dragon.backbone.encoder.layer.0.intermediate.dense.weight"]),
        "max_position_embeddings": positions,
        "type_vocab_size": token_types,
    }
    # GreaseLM calls either language model `mp`; RoBERTa has one type of token.
    called = {name.removeprefix("module.").removeprefix("lmgnn.").split(".")[0] for name in published.tensors}
    if "roberta" in called or ("mp" in called and token_types == 1):
        return RobertaConfig(**sizes, layer_norm_eps=1e-5)
    return BertConfig(**sizes)


def _expected(config: DragonConfig, tensors: Tensors) -> dict[str, torch.Size]:
    """Names and shapes of the encoder and of those heads that the checkpoint has at least a tensor of."""
    config = DragonConfig.from_dict(config.to_dict() | {"entities": "trainable"})
    with torch.device("meta"):
        state = DragonForMultipleChoice(config).state_dict() | DragonForPreTraining(config).state_dict()
    absent = tuple(part for part in OPTIONAL_PARTS if not any(name.startswith(part) for name in tensors))
    return {name: tensor.shape for name, tensor in state.items() if not (absent and name.startswith(absent))}


def _untied(tensors: Tensors) -> list[str]:
    """Problems of output layers that are not the word embeddings, which ours always are."""
    words = next(
        (tensor for name, tensor in tensors.items() if name.endswith("embeddings.word_embeddings.weight")), None
    )
    return [
        f"{name} is not the same as the word embeddings"
        for name, tensor in tensors.items()
        if words is not None and name.endswith(("lm_head.decoder.weight", "cls.predictions.decoder.weight"))
        if tensor.device.type != "meta" and not torch.equal(tensor, words)
    ]


def _published(name: str, config: DragonConfig) -> str:
    return published_names(name, config)[0]


def _count(tensors: Tensors, pattern: str) -> int:
    return len({match.group(1) for name in tensors if (match := re.fullmatch(pattern, name))})


def _save_entities(table: torch.Tensor, path: Path) -> None:
    mapped = np.lib.format.open_memmap(path, "w+", np.float32, tuple(table.shape))
    for start in range(0, len(table), ROWS_AT_ONCE):
        mapped[start : start + ROWS_AT_ONCE] = table[start : start + ROWS_AT_ONCE].float().numpy()
    mapped.flush()


def _is_zip(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(4) == b"PK\x03\x04"
