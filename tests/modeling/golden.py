"""Reads the golden fixtures: what the published model computed, as arguments of ours."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoConfig

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.modeling_dragon import DragonForMultipleChoice, DragonForPreTraining
from dragon_core.modeling.published import renamed

FOLDER = Path(os.environ.get("DRAGON_GOLDEN", Path(__file__).parents[3] / "shared" / "golden"))
FOLDERS = sorted(path.parent for path in FOLDER.glob("*/config.json"))

INTERACTIONS = {True: "every", "every-other-layer": "every-other", False: "none"}
RESIDUALS = {0: "none", 1: "sum", 2: "layer-norm"}
NORMALIZATIONS = {0: "none", 1: "l2", 2: "tanh", 3: "layer-norm"}

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

    @property
    def num_choices(self) -> int:
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
    values = json.loads((folder / "config.json").read_text())
    model, args = values["model"], values["args"]
    tensors = renamed(load_file(folder / "state_dict.safetensors"))
    token_types = len(tensors["dragon.backbone.embeddings.token_type_embeddings.weight"])
    backbone = AutoConfig.for_model(values["backbone"], type_vocab_size=token_types, **values["backbone_config"])
    config = DragonConfig(
        backbone=backbone,
        num_fusion_layers=model["k"],
        num_entities=model["n_concept"] + 2,
        entity_size=model["concept_in_dim"],
        entities="trainable",
        node_size=model["concept_dim"],
        num_edge_types=model["n_etype"],
        num_node_types=model["n_ntype"],
        use_node_scores=not args["no_node_score"],
        interaction=INTERACTIONS[model["info_exchange"]],
        interaction_size=model["ie_dim"],
        interaction_depth=model["ie_layer_num"],
        separate_interaction=model["sep_ie_layers"],
        interaction_residual=RESIDUALS[args["residual_ie"]],
        num_pooling_heads=model["n_attention_head"],
        classifier_size=model["fc_dim"],
        classifier_depth=model["n_fc_layer"],
        link_decoder=args["link_decoder"].lower(),
        link_projection=args["link_proj_headtail"],
        link_normalization=NORMALIZATIONS[args["link_normalize_headtail"]],
        link_scaled=args["scaled_distmult"],
        link_gamma=args["link_gamma"],
        link_self_adversarial=args["link_negative_adversarial_sampling"],
        link_adversarial_temperature=args["link_negative_adversarial_sampling_temperature"],
        link_regularization=args["link_regularizer_weight"],
    )
    return Golden(
        config=config,
        tensors=tensors,
        inputs=load_file(folder / "inputs.safetensors"),
        expected=load_file(folder / "expected.safetensors"),
        labels=torch.tensor(values["labels"]),
        has_mlm=bool(args["mlm_task"]),
        has_links=bool(args["link_task"]) and model["k"] >= 0,
    )


def models_of(golden: Golden) -> tuple[DragonForPreTraining, DragonForMultipleChoice]:
    """Both models with the fixture's weights; every tensor of each is in the fixture."""
    models = DragonForPreTraining(golden.config), DragonForMultipleChoice(golden.config)
    for model in models:
        own = model.state_dict()
        missing = [n for n in own if n not in golden.tensors and not optional(n, golden)]
        assert not missing, missing
        model.load_state_dict({n: t for n, t in golden.tensors.items() if n in own}, strict=False)
    return models


def optional(name: str, golden: Golden) -> bool:
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
