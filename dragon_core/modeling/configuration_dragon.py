"""Configuration of the DRAGON model: the backbone's own, and the sizes and options of what is fused with it."""

from typing import Any, Literal, get_args

from transformers import AutoConfig, PretrainedConfig

from dragon_core.modeling.backbones import BACKBONES

Entities = Literal["frozen", "trainable", "random"]
Interaction = Literal["every", "every-other", "none", "once"]
InteractionResidual = Literal["none", "sum", "layer-norm"]
TextVector = Literal["first", "mean"]
LinkDecoder = Literal["distmult", "complex", "transe", "rotate"]
LinkNormalization = Literal["none", "l2", "tanh", "layer-norm"]

CHOICES: dict[str, Any] = {
    "entities": Entities,
    "interaction": Interaction,
    "interaction_residual": InteractionResidual,
    "text_vector": TextVector,
    "link_decoder": LinkDecoder,
    "link_normalization": LinkNormalization,
}


class DragonConfig(PretrainedConfig):
    """Configuration of a DRAGON model (Yasunaga et al., NeurIPS 2022).

    Args:
        backbone: Configuration of the language model, an object or its dict; `model_type` chooses the architecture.
        num_fusion_layers: `k`, how many of the last LM layers are fused with a graph layer; -1 is the LM alone.
        graph_as_text: Whether the model was trained on texts that end with their graph's triples as sentences.
        num_entities: Rows of the entity table, without the context node.
        entity_size: Width of the entity table.
        entities: "frozen" vectors are read from a file that all checkpoints share; "trainable" ones are trained, and
            saved with the model; "random" ones stay as they were drawn, and are saved with the model.
        node_size: `d`, width of a node in the graph layers; even, and a multiple of both numbers of heads.
        num_edge_types: Types of edges in a batch; inverses count, the self loop does not.
        num_node_types: Types of nodes, the context node's included.
        num_graph_heads: Attention heads of a graph layer.
        use_node_scores: Whether the relevance scores of the nodes are a feature.
        interaction: In which fusion layers text and graph exchange information; "none" joins them at the end only. With
            "once" the pooled text becomes the context node before the graph layers, which run after the language model,
            as in QA-GNN (Yasunaga et al., NAACL 2021).
        interaction_size: Hidden size of the exchange's perceptron.
        interaction_depth: Its hidden layers.
        separate_interaction: One perceptron a fusion layer instead of a shared one.
        interaction_residual: What is added to its output: nothing, its input, or its input with a LayerNorm after.
        text_vector: What speaks for a text in the exchange and in the question-answering head: its first token, in the
            head by way of the pooler, or the mean of its tokens.
        node_norm: Whether the vectors of the nodes that the graph network gives pass a LayerNorm.
        entity_dropout: Dropout on the entity features.
        graph_dropout: Dropout in and after the graph layers.
        classifier_dropout: Dropout of the question-answering head.
        num_pooling_heads: Heads of its attention over the nodes.
        classifier_size: Hidden size of its perceptron.
        classifier_depth: The perceptron's hidden layers.
        relevance_readout: Whether the logits have a part of their own for the relevance of the nodes, and how question
            and answer are connected.
        link_decoder: Score function of link prediction.
        link_projection: Whether node vectors pass a linear layer before they are scored.
        link_normalization: How node vectors are normalised before they are scored.
        link_scaled: Whether the scores of DistMult and ComplEx are divided by sqrt(d).
        link_gamma: Margin of TransE and RotatE.
        link_self_adversarial: Whether hard negatives weigh more (Sun et al., 2019), else all weigh the same.
        link_adversarial_temperature: Temperature of these weights.
        link_regularization: Weight of the mean square of the relation vectors.
        initializer_range: Standard deviation of new weights.

    Raises:
        ValueError: A field's value is impossible; the message names the field.
    """

    model_type = "dragon"
    sub_configs = {"backbone": AutoConfig}  # noqa: RUF012
    has_no_defaults_at_init = False

    def __init__(
        self,
        backbone: PretrainedConfig | dict[str, Any] | None = None,
        num_fusion_layers: int = 5,
        graph_as_text: bool = False,
        num_entities: int = 0,
        entity_size: int = 1024,
        entities: Entities = "frozen",
        node_size: int = 200,
        num_edge_types: int = 38,
        num_node_types: int = 4,
        num_graph_heads: int = 4,
        use_node_scores: bool = True,
        interaction: Interaction = "every",
        interaction_size: int = 400,
        interaction_depth: int = 1,
        separate_interaction: bool = False,
        interaction_residual: InteractionResidual = "layer-norm",
        text_vector: TextVector = "first",
        node_norm: bool = False,
        entity_dropout: float = 0.2,
        graph_dropout: float = 0.2,
        classifier_dropout: float = 0.2,
        num_pooling_heads: int = 2,
        classifier_size: int = 200,
        classifier_depth: int = 0,
        relevance_readout: bool = False,
        link_decoder: LinkDecoder = "distmult",
        link_projection: bool = False,
        link_normalization: LinkNormalization = "layer-norm",
        link_scaled: bool = True,
        link_gamma: float = 12.0,
        link_self_adversarial: bool = True,
        link_adversarial_temperature: float = 1.0,
        link_regularization: float = 0.01,
        initializer_range: float = 0.02,
        **kwargs: Any,
    ) -> None:
        self.backbone = _backbone_config(backbone)
        self.num_fusion_layers = num_fusion_layers
        self.graph_as_text = graph_as_text
        self.num_entities = num_entities
        self.entity_size = entity_size
        self.entities = entities
        self.node_size = node_size
        self.num_edge_types = num_edge_types
        self.num_node_types = num_node_types
        self.num_graph_heads = num_graph_heads
        self.use_node_scores = use_node_scores
        self.interaction = interaction
        self.interaction_size = interaction_size
        self.interaction_depth = interaction_depth
        self.separate_interaction = separate_interaction
        self.interaction_residual = interaction_residual
        self.text_vector = text_vector
        self.node_norm = node_norm
        self.entity_dropout = entity_dropout
        self.graph_dropout = graph_dropout
        self.classifier_dropout = classifier_dropout
        self.num_pooling_heads = num_pooling_heads
        self.classifier_size = classifier_size
        self.classifier_depth = classifier_depth
        self.relevance_readout = relevance_readout
        self.link_decoder = link_decoder
        self.link_projection = link_projection
        self.link_normalization = link_normalization
        self.link_scaled = link_scaled
        self.link_gamma = link_gamma
        self.link_self_adversarial = link_self_adversarial
        self.link_adversarial_temperature = link_adversarial_temperature
        self.link_regularization = link_regularization
        self.initializer_range = initializer_range
        self._check()
        super().__init__(**kwargs)

    @property
    def has_graph(self) -> bool:
        """Whether there is a graph network at all."""
        return self.num_fusion_layers >= 0

    def exchanges_in(self, fusion_layer: int) -> bool:
        """Whether text and graph exchange information in the given fusion layer, counted from 0."""
        return self.interaction == "every" or (self.interaction == "every-other" and fusion_layer % 2 == 0)

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON values; the backbone's is nested."""
        values: dict[str, Any] = super().to_dict()
        values["backbone"] = self.backbone.to_dict()
        return values

    def _check(self) -> None:
        if self.backbone.model_type not in BACKBONES:
            raise ValueError(f"backbone is {self.backbone.model_type!r}; it must be one of {', '.join(BACKBONES)}")
        layers = self.backbone.num_hidden_layers
        if not -1 <= self.num_fusion_layers <= layers:
            raise ValueError(f"num_fusion_layers is {self.num_fusion_layers}; it must lie between -1 and {layers}")
        for field, choices in CHOICES.items():
            if getattr(self, field) not in get_args(choices):
                raise ValueError(
                    f"{field} is {getattr(self, field)!r}; it must be one of {', '.join(get_args(choices))}"
                )
        for field in ("num_graph_heads", "num_pooling_heads"):
            if self.node_size % getattr(self, field):
                raise ValueError(f"node_size {self.node_size} is no multiple of {field} {getattr(self, field)}")
        if self.node_size % 2:
            raise ValueError(f"node_size {self.node_size} must be even: half of it encodes the type, half the score")
        for field in ("entity_dropout", "graph_dropout", "classifier_dropout"):
            if not 0 <= getattr(self, field) < 1:
                raise ValueError(f"{field} is {getattr(self, field)}; it must lie in [0, 1)")


def _backbone_config(backbone: PretrainedConfig | dict[str, Any] | None) -> PretrainedConfig:
    if isinstance(backbone, PretrainedConfig):
        return backbone
    values = dict(backbone or {"model_type": "bert"})
    return AutoConfig.for_model(values.pop("model_type"), **values)


AutoConfig.register("dragon", DragonConfig)
