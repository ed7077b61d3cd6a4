"""Reads the golden fixtures: what the published model computed, as arguments of ours."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoConfig

from dragon_core.devices import best_device
from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.modeling_dragon import DragonForMultipleChoice, DragonForPreTraining
from dragon_core.modeling.published import config_fields, renamed

Tensors = dict[str, torch.Tensor]


@dataclass
class Golden:
    """One fixture."""

    config: DragonConfig
    tensors: Tensors
    inputs: Tensors
    expected: Tensors
    labels: torch.Tensor
    has_mlm: bool
    has_links: bool
    has_answers: bool

    @property
    def num_choices(self) -> int:
        """Choices of a question."""
        return self.inputs["adj_lengths"].shape[1]

    @property
    def graph_names(self) -> list[str]:
        """The suffixes `question.choice` of the inputs' names, in order."""
        return [f"{question}.{choice}" for question in range(len(self.labels)) for choice in range(self.num_choices)]

    def offsets(self) -> list[int]:
        """Where each graph's nodes begin among all real nodes."""
        lengths = self.inputs["adj_lengths"].flatten()
        return (lengths.cumsum(0) - lengths).tolist()

    def links(self) -> Tensors:
        """The targets of link prediction, none if the fixture has none."""
        if not self.has_links:
            return {}
        graphs = list(zip(self.graph_names, self.offsets(), strict=True))
        return {
            "link_head": torch.cat([self.inputs[f"pos_triples.{name}"][0] + offset for name, offset in graphs]),
            "link_relation": torch.cat([self.inputs[f"pos_triples.{name}"][1] for name, _ in graphs]),
            "link_tail": torch.cat([self.inputs[f"pos_triples.{name}"][2] + offset for name, offset in graphs]),
            "link_negatives": torch.cat([self.inputs[f"neg_nodes.{name}"] + offset for name, offset in graphs]),
        }


def read_golden(folder: Path) -> Golden:
    """Read config.json, state_dict.safetensors, inputs.safetensors and expected.safetensors of a folder.

    Its tensors lie on the GPU if there is one.

    Raises:
        OSError: A file is missing.
        KeyError: A file lacks an entry, or the state dict has a tensor that the published model has not.
        ValueError: An option has an unknown value.
    """
    values = json.loads((folder / "config.json").read_text())
    model, args = values["model"], values["args"]
    files = ("state_dict", "inputs", "expected")
    weights, inputs, expected = (load_file(folder / f"{name}.safetensors", str(best_device())) for name in files)
    tensors = renamed(weights)
    # Transformers' default for RoBERTa is not what the published checkpoints have.
    token_types = len(tensors["dragon.backbone.embeddings.token_type_embeddings.weight"])
    backbone = AutoConfig.for_model(
        values["backbone"], **(values["backbone_config"] | {"type_vocab_size": token_types})
    )
    # The published table has two rows more than there are concepts.
    fields = config_fields(model | args) | {"num_entities": model["n_concept"] + 2}
    config = DragonConfig(backbone=backbone, entities="trainable", **fields)
    return Golden(
        config=config,
        tensors=tensors,
        inputs=inputs,
        expected=expected,
        labels=torch.tensor(values["labels"], device=best_device()),
        has_mlm=bool(args["mlm_task"]),
        has_links=bool(args["link_task"]) and model["k"] >= 0,
        has_answers=bool(args["end_task"]),
    )


def models_of(golden: Golden) -> tuple[DragonForPreTraining, DragonForMultipleChoice]:
    """Both models with the fixture's weights.

    Raises:
        ValueError: The fixture lacks tensors that a model has.
    """
    models = DragonForPreTraining(golden.config), DragonForMultipleChoice(golden.config)
    for model in models:
        own = model.state_dict()
        missing = [n for n in own if n not in golden.tensors and not _is_optional(n, golden)]
        if missing:
            raise ValueError(f"tensors are missing: {', '.join(missing)}")
        model.load_state_dict({n: t for n, t in golden.tensors.items() if n in own}, strict=False)
    return models


def _is_optional(name: str, golden: Golden) -> bool:
    return (name.startswith("lm_head") and not golden.has_mlm) or (
        name.startswith("link_predictor") and not golden.has_links
    )


def batch_of(golden: Golden, padding: bool) -> tuple[dict[str, Any], torch.Tensor]:
    """The fixture's batch without padding, or with its padding slots as the isolated nodes of one more graph.

    Returns:
        The batch, and the position of each of its nodes among all the fixture's slots.
    """
    inputs = golden.inputs
    text = inputs["lm_input_ids"] if golden.has_mlm else inputs["input_ids"]
    batch: dict[str, Any] = {
        "input_ids": text.flatten(0, 1),
        "attention_mask": inputs["attention_mask"].flatten(0, 1),
        "token_type_ids": inputs["token_type_ids"].flatten(0, 1),
    }
    if golden.config.backbone.model_type == "roberta":
        batch.pop("token_type_ids")
    lengths = inputs["adj_lengths"].flatten()
    slots = inputs["concept_ids"].shape[-1]
    count = len(lengths)
    real = torch.arange(slots) < lengths[:, None]
    positions = torch.arange(count * slots).view(count, slots)
    kept = torch.cat([positions[real], positions[~real]]) if padding else positions[real]
    graph = torch.where(real.flatten(), torch.arange(count).repeat_interleave(slots), count)[kept]
    graphs = list(zip(golden.graph_names, golden.offsets(), strict=True))
    batch |= {
        "concept_ids": inputs["concept_ids"].flatten()[kept],
        "node_types": inputs["node_type_ids"].flatten()[kept],
        "node_scores": (inputs["node_scores"].flatten() * real.flatten())[kept],
        "node_batch": graph,
        "edge_index": torch.cat([inputs[f"edge_index.{name}"] + offset for name, offset in graphs], dim=1),
        "edge_type": torch.cat([inputs[f"edge_type.{name}"] for name, _ in graphs]),
    }
    return batch, kept
