"""Names of the published checkpoints' tensors and options in terms of ours.

The published model keeps its graph network inside the language model (`lmgnn.roberta.…` or `lmgnn.bert.…`), and
per-layer copies of the edge encoder that it never uses beside the one it does.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch

# Published option -> our field, and how its value is read. The model's constructor and the training script name some
# of them differently.
OPTIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "k": ("num_fusion_layers", int),
    "n_concept": ("num_entities", lambda count: count + 2),
    "concept_in_dim": ("entity_size", int),
    "concept_dim": ("node_size", int),
    "gnn_dim": ("node_size", int),
    "n_etype": ("num_edge_types", int),
    "n_ntype": ("num_node_types", int),
    "no_node_score": ("use_node_scores", lambda left_out: not left_out),
    "info_exchange": ("interaction", {True: "every", "every-other-layer": "every-other", False: "none"}.__getitem__),
    "ie_dim": ("interaction_size", int),
    "ie_layer_num": ("interaction_depth", int),
    "sep_ie_layers": ("separate_interaction", bool),
    "residual_ie": ("interaction_residual", ["none", "sum", "layer-norm"].__getitem__),
    "p_emb": ("entity_dropout", float),
    "dropouti": ("entity_dropout", float),
    "p_gnn": ("graph_dropout", float),
    "dropoutg": ("graph_dropout", float),
    "p_fc": ("classifier_dropout", float),
    "dropoutf": ("classifier_dropout", float),
    "n_attention_head": ("num_pooling_heads", int),
    "att_head_num": ("num_pooling_heads", int),
    "fc_dim": ("classifier_size", int),
    "n_fc_layer": ("classifier_depth", int),
    "fc_layer_num": ("classifier_depth", int),
    "link_decoder": ("link_decoder", str.lower),
    "link_proj_headtail": ("link_projection", bool),
    "link_normalize_headtail": ("link_normalization", ["none", "l2", "tanh", "layer-norm"].__getitem__),
    "scaled_distmult": ("link_scaled", bool),
    "link_gamma": ("link_gamma", float),
    "link_negative_adversarial_sampling": ("link_self_adversarial", bool),
    "link_negative_adversarial_sampling_temperature": ("link_adversarial_temperature", float),
    "link_regularizer_weight": ("link_regularization", float),
    "init_range": ("initializer_range", float),
}

# (pattern of a published name without `lmgnn.`, our name); BACKBONE stands for the name of the language model.
RENAMINGS = [
    (r"concept_emb\.emb\.(.*)", r"dragon.entities.\1"),
    (r"concept_emb\.cpt_transform\.(.*)", r"dragon.node_features.transform.\1"),
    (r"BACKBONE\.emb_node_type\.(.*)", r"dragon.node_features.type_encoder.\1"),
    (r"BACKBONE\.emb_score\.(.*)", r"dragon.node_features.score_encoder.\1"),
    (r"BACKBONE\.Vh\.(.*)", r"dragon.graph.output_input.\1"),
    (r"BACKBONE\.Vx\.(.*)", r"dragon.graph.output_hidden.\1"),
    (r"BACKBONE\.encoder\.edge_encoder\.0\.(.*)", r"dragon.graph.edge_encoder.input.\1"),
    (r"BACKBONE\.encoder\.edge_encoder\.1\.(.*)", r"dragon.graph.edge_encoder.norm.\1"),
    (r"BACKBONE\.encoder\.edge_encoder\.3\.(.*)", r"dragon.graph.edge_encoder.output.\1"),
    (r"BACKBONE\.encoder\.gnn_layers\.(\d+)\.linear_key\.(.*)", r"dragon.graph.layers.\1.key.\2"),
    (r"BACKBONE\.encoder\.gnn_layers\.(\d+)\.linear_msg\.(.*)", r"dragon.graph.layers.\1.message.\2"),
    (r"BACKBONE\.encoder\.gnn_layers\.(\d+)\.linear_query\.(.*)", r"dragon.graph.layers.\1.query.\2"),
    (r"BACKBONE\.encoder\.gnn_layers\.(\d+)\.mlp\.0\.(.*)", r"dragon.graph.layers.\1.input.\2"),
    (r"BACKBONE\.encoder\.gnn_layers\.(\d+)\.mlp\.1\.(.*)", r"dragon.graph.layers.\1.norm.\2"),
    (r"BACKBONE\.encoder\.gnn_layers\.(\d+)\.mlp\.3\.(.*)", r"dragon.graph.layers.\1.output.\2"),
    (r"BACKBONE\.encoder\.ie_LayerNorm\.(.*)", r"dragon.graph.exchange.norm.\1"),
    (r"BACKBONE\.encoder\.ie_layer\.layers\.(\d+)-Linear\.(.*)", r"dragon.graph.exchange.perceptrons.0.linears.\1.\2"),
    (
        r"BACKBONE\.encoder\.ie_layers\.(\d+)\.layers\.(\d+)-Linear\.(.*)",
        r"dragon.graph.exchange.perceptrons.\1.linears.\2.\3",
    ),
    (r"BACKBONE\.((?:embeddings|encoder\.layer|pooler)\..*)", r"dragon.backbone.\1"),
    (r"lm_head\.dense\.(.*)", r"lm_head.dense.\1"),
    (r"lm_head\.layer_norm\.(.*)", r"lm_head.norm.\1"),
    (r"lm_head\.bias", r"lm_head.bias"),
    (r"cls\.predictions\.transform\.dense\.(.*)", r"lm_head.dense.\1"),
    (r"cls\.predictions\.transform\.LayerNorm\.(.*)", r"lm_head.norm.\1"),
    (r"cls\.predictions\.bias", r"lm_head.bias"),
    (r"linkpred\.w_relation", r"link_predictor.relations.weight"),
    (r"linkpred_proj\.(.*)", r"link_predictor.projection.\1"),
    (r"emb_LayerNorm\.(.*)", r"link_predictor.norm.\1"),
    (r"pooler\.w_qs\.(.*)", r"classifier.pooler.query.\1"),
    (r"pooler\.w_ks\.(.*)", r"classifier.pooler.key.\1"),
    (r"pooler\.w_vs\.(.*)", r"classifier.pooler.value.\1"),
    (r"fc\.layers\.(\d+)-Linear\.(.*)", r"classifier.perceptron.linears.\1.\2"),
    (r"fc\.layers\.(\d+)-LayerNorm\.(.*)", r"classifier.perceptron.norms.\1.\2"),
]

# Tied to the word embeddings, or never read by the published model.
UNUSED = "|".join(
    [
        r"lm_head\.decoder\..*",
        r"cls\.predictions\.decoder\..*",
        r"cls\.seq_relationship\..*",
        r".*\.gnn_layers\.\d+\.edge_encoder\..*",
        r".*\.position_ids",
    ]
)


def our_name(published: str) -> str | None:
    """Our name of a published tensor; None for one that no model of ours reads.

    Raises:
        KeyError: The name is not one of the published model's.
    """
    name = re.sub(r"^(roberta|bert)\.", "BACKBONE.", published.removeprefix("lmgnn."))
    if re.fullmatch(UNUSED, name):
        return None
    for pattern, replacement in RENAMINGS:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, replacement, name)
    raise KeyError(f"{published} is not a tensor of the published model")


def renamed(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A published state dict under our names; those of the encoder begin with `dragon.`."""
    names = {name: our_name(name) for name in tensors}
    return {ours: tensors[name] for name, ours in names.items() if ours is not None}


def config_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `DragonConfig` that published options say; other options are passed over.

    Raises:
        ValueError: An option has a value that the published model does not know.
    """
    fields = {}
    for option, value in options.items():
        if option in OPTIONS:
            field, read = OPTIONS[option]
            try:
                fields[field] = read(value)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise ValueError(f"the published option {option} is {value!r}, which is none of its values") from error
    return fields
