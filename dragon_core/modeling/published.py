"""Names of the published checkpoints' tensors and options in terms of ours, and back.

The published model keeps its graph network inside the language model (`lmgnn.roberta.…` or `lmgnn.bert.…`; GreaseLM's
is `lmgnn.mp.…`), and in each graph layer a second name of the one edge encoder. Facts from the code of
https://github.com/michiyasunaga/dragon and https://github.com/snap-stanford/GreaseLM.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from dragon_core.modeling.configuration_dragon import DragonConfig


@dataclass(frozen=True)
class Option:
    """A published option.

    Attributes:
        names: In the training script first, then in the model's constructor where it differs.
        field: Ours, of `DragonConfig`.
        values: What the published values are in ours; None where they are the same.
    """

    names: tuple[str, ...]
    field: str
    values: Mapping[Any, Any] | None = None


OPTIONS = [
    Option(("k",), "num_fusion_layers"),
    Option(("concept_in_dim",), "entity_size"),
    Option(("gnn_dim", "concept_dim"), "node_size"),
    Option(("n_etype",), "num_edge_types"),
    Option(("n_ntype",), "num_node_types"),
    Option(("no_node_score",), "use_node_scores", {True: False, False: True}),
    Option(("info_exchange",), "interaction", {True: "every", "every-other-layer": "every-other", False: "none"}),
    Option(("ie_dim",), "interaction_size"),
    Option(("ie_layer_num",), "interaction_depth"),
    Option(("sep_ie_layers",), "separate_interaction"),
    Option(("residual_ie",), "interaction_residual", {0: "none", 1: "sum", 2: "layer-norm"}),
    Option(("dropouti", "p_emb"), "entity_dropout"),
    Option(("dropoutg", "p_gnn"), "graph_dropout"),
    Option(("dropoutf", "p_fc"), "classifier_dropout"),
    Option(("att_head_num", "n_attention_head"), "num_pooling_heads"),
    Option(("fc_dim",), "classifier_size"),
    Option(("fc_layer_num", "n_fc_layer"), "classifier_depth"),
    Option(("link_decoder",), "link_decoder", {"DistMult": "distmult", "TransE": "transe", "RotatE": "rotate"}),
    Option(("link_proj_headtail",), "link_projection"),
    Option(("link_normalize_headtail",), "link_normalization", {0: "none", 1: "l2", 2: "tanh", 3: "layer-norm"}),
    Option(("scaled_distmult",), "link_scaled"),
    Option(("link_gamma",), "link_gamma"),
    Option(("link_negative_adversarial_sampling",), "link_self_adversarial"),
    Option(("link_negative_adversarial_sampling_temperature",), "link_adversarial_temperature"),
    Option(("link_regularizer_weight",), "link_regularization"),
    Option(("init_range",), "initializer_range"),
]


@dataclass(frozen=True)
class Renaming:
    """Tensors with one published and one of our names; `#` stands for a number, `*` for the rest of a name.

    Attributes:
        published: Without `lmgnn.`; `LM` stands for the language model's name.
        ours: In a model with any head.
        only: "bert", "roberta", "shared" or "separate": the models that have it, by backbone or by how many perceptrons
            exchange information; all if empty.
    """

    published: str
    ours: str
    only: str = ""

    def forwards(self, name: str) -> str | None:
        """Our name of a published tensor, None if this is not about it."""
        return _renamed(name, self.published, self.ours)

    def backwards(self, name: str) -> str | None:
        """The published name of a tensor of ours, None if this is not about it."""
        return _renamed(name, self.ours, self.published)


RENAMINGS = [
    Renaming("concept_emb.emb.*", "dragon.entities.*"),
    Renaming("concept_emb.cpt_transform.*", "dragon.node_features.transform.*"),
    Renaming("LM.emb_node_type.*", "dragon.node_features.type_encoder.*"),
    Renaming("LM.emb_score.*", "dragon.node_features.score_encoder.*"),
    Renaming("LM.Vh.*", "dragon.graph.output_input.*"),
    Renaming("LM.Vx.*", "dragon.graph.output_hidden.*"),
    Renaming("LM.encoder.edge_encoder.0.*", "dragon.graph.edge_encoder.input.*"),
    Renaming("LM.encoder.edge_encoder.1.*", "dragon.graph.edge_encoder.norm.*"),
    Renaming("LM.encoder.edge_encoder.3.*", "dragon.graph.edge_encoder.output.*"),
    Renaming("LM.encoder.gnn_layers.#.linear_key.*", "dragon.graph.layers.#.key.*"),
    Renaming("LM.encoder.gnn_layers.#.linear_msg.*", "dragon.graph.layers.#.message.*"),
    Renaming("LM.encoder.gnn_layers.#.linear_query.*", "dragon.graph.layers.#.query.*"),
    Renaming("LM.encoder.gnn_layers.#.mlp.0.*", "dragon.graph.layers.#.input.*"),
    Renaming("LM.encoder.gnn_layers.#.mlp.1.*", "dragon.graph.layers.#.norm.*"),
    Renaming("LM.encoder.gnn_layers.#.mlp.3.*", "dragon.graph.layers.#.output.*"),
    Renaming("LM.encoder.ie_LayerNorm.*", "dragon.graph.exchange.norm.*"),
    Renaming("LM.encoder.ie_layer.layers.#-Linear.*", "dragon.graph.exchange.perceptrons.0.linears.#.*", "shared"),
    Renaming("LM.encoder.ie_layers.#.layers.#-Linear.*", "dragon.graph.exchange.perceptrons.#.linears.#.*", "separate"),
    Renaming("LM.embeddings.*", "dragon.backbone.embeddings.*"),
    Renaming("LM.encoder.layer.*", "dragon.backbone.encoder.layer.*"),
    Renaming("LM.pooler.*", "dragon.backbone.pooler.*"),
    Renaming("lm_head.dense.*", "lm_head.dense.*", "roberta"),
    Renaming("lm_head.layer_norm.*", "lm_head.norm.*", "roberta"),
    Renaming("lm_head.bias", "lm_head.bias", "roberta"),
    Renaming("cls.predictions.transform.dense.*", "lm_head.dense.*", "bert"),
    Renaming("cls.predictions.transform.LayerNorm.*", "lm_head.norm.*", "bert"),
    Renaming("cls.predictions.bias", "lm_head.bias", "bert"),
    Renaming("linkpred.w_relation", "link_predictor.relations.weight"),
    Renaming("linkpred_proj.*", "link_predictor.projection.*"),
    Renaming("emb_LayerNorm.*", "link_predictor.norm.*"),
    Renaming("pooler.w_qs.*", "classifier.pooler.query.*"),
    Renaming("pooler.w_ks.*", "classifier.pooler.key.*"),
    Renaming("pooler.w_vs.*", "classifier.pooler.value.*"),
    Renaming("fc.layers.#-Linear.*", "classifier.perceptron.linears.#.*"),
    Renaming("fc.layers.#-LayerNorm.*", "classifier.perceptron.norms.#.*"),
]

# Other names of tensors that the file has under a name above, as `name -> the other name`.
COPIES = [
    Renaming("LM.encoder.edge_encoder.*", "LM.encoder.gnn_layers.#.edge_encoder.*"),
    Renaming("LM.embeddings.word_embeddings.weight", "lm_head.decoder.weight", "roberta"),
    Renaming("lm_head.bias", "lm_head.decoder.bias", "roberta"),
    Renaming("LM.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight", "bert"),
    Renaming("cls.predictions.bias", "cls.predictions.decoder.bias", "bert"),
]

# Next-sentence prediction, which the published model does not train; positions, which are no parameters.
UNUSED = re.compile(r"cls\.seq_relationship\..*|LM\.embeddings\.position_ids")


def our_name(published: str) -> str | None:
    """Our name of a published tensor; None for one that no model of ours reads.

    Raises:
        KeyError: The name is not one of the published model's.
    """
    name = neutral(published)
    for renaming in RENAMINGS:
        if found := renaming.forwards(name):
            return found
    if UNUSED.fullmatch(name) or any(_matches(name, copy.ours) for copy in COPIES):
        return None
    raise KeyError(f"{published} is not a tensor of the published model")


def neutral(published: str) -> str:
    """A published name without `lmgnn.`, its language model called `LM`."""
    return re.sub(r"^(roberta|bert|mp)\.", "LM.", published.removeprefix("module.").removeprefix("lmgnn."))


def renamed(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A published state dict under our names; those of the encoder begin with `dragon.`.

    Raises:
        KeyError: A name is not one of the published model's.
    """
    names = {published: our_name(published) for published in tensors}
    return {name: tensors[published] for published, name in names.items() if name is not None}


def published_names(ours: str, config: DragonConfig) -> list[str]:
    """The published names of a tensor of ours, that of its copies among them.

    Raises:
        KeyError: The published model has no such tensor.
    """
    lm = config.backbone.model_type
    kinds = {"", lm, "separate" if config.separate_interaction else "shared"}
    found = [renaming.backwards(ours) for renaming in RENAMINGS if renaming.only in kinds]
    name = next((name for name in found if name is not None), None)
    if name is None:
        raise KeyError(f"the published model has no tensor {ours}")
    names = [name]
    for copy in (copy for copy in COPIES if copy.only in kinds):
        for layer in range(config.num_fusion_layers if "#" in copy.ours else 1):
            other = _renamed(name, copy.published, copy.ours.replace("#", str(layer)))
            names += [other] if other is not None else []
    return [f"lmgnn.{name.replace('LM.', f'{lm}.', 1) if name.startswith('LM.') else name}" for name in names]


def config_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `DragonConfig` that published options say; other options are passed over.

    Raises:
        ValueError: An option has a value that the published model does not know.
    """
    fields = {}
    for option in OPTIONS:
        for name in option.names:
            if name not in options:
                continue
            value = options[name]
            if option.values is not None and value not in option.values:
                raise ValueError(f"the published option {name} is {value!r}; it must be one of {list(option.values)}")
            fields[option.field] = value if option.values is None else option.values[value]
    return fields


def published_options(config: DragonConfig) -> dict[str, Any]:
    """The options of the published training script that say the same as a configuration."""
    options = {}
    for option in OPTIONS:
        value = getattr(config, option.field)
        inverse = {ours: theirs for theirs, ours in (option.values or {}).items()}
        options[option.names[0]] = inverse.get(value, value)
    return options


def _matches(name: str, template: str) -> re.Match[str] | None:
    pattern = re.escape(template).replace(r"\#", r"(\d+)").replace(r"\*", r"(.*)")
    return re.fullmatch(pattern, name)


def _renamed(name: str, template: str, other: str) -> str | None:
    match = _matches(name, template)
    if match is None:
        return None
    groups = iter(match.groups())
    return re.sub(r"[#*]", lambda _: next(groups), other)
