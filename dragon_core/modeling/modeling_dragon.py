"""The DRAGON models (Yasunaga et al., "Deep Bidirectional Language-Knowledge Graph Pretraining", NeurIPS 2022).

A batch has B texts of T tokens and, laid end to end as in PyTorch Geometric, the N nodes and E edges of their B graphs:

    input_ids, attention_mask   [B, T]
    concept_ids                 [N] 0 for a context node, 1 + row of the entity table otherwise
    node_types                  [N] 0 linked in the text, 1 linked in the answer, 2 other, 3 context node
    node_scores                 [N] relevance, optional
    node_batch                  [N] the graph of each node, sorted; a graph's first node is its context node
    edge_index                  [2, E] source and target, as positions among all N nodes
    edge_type                   [E]
"""

from pathlib import Path
from typing import Any, Self, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForPreTraining,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)
from transformers.loss.loss_utils import ForSequenceClassificationLoss

from dragon_core.modeling.backbones import LayerByLayer, new_backbone
from dragon_core.modeling.batch_checks import check_graphs, check_links, check_text
from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.entity_table import EntityTable, open_entities
from dragon_core.modeling.fusion import GraphNetwork
from dragon_core.modeling.graph_layers import Edges
from dragon_core.modeling.heads import AnswerClassifier, MaskedLMHead
from dragon_core.modeling.link_prediction import LinkPredictor
from dragon_core.modeling.node_features import NodeFeatures
from dragon_core.modeling.outputs import (
    DragonForMultipleChoiceOutput,
    DragonForPreTrainingOutput,
    DragonForSequenceClassificationOutput,
    DragonModelOutput,
)
from dragon_core.modeling.token_mean import token_mean


class DragonPreTrainedModel(PreTrainedModel):
    """Base of the DRAGON models: initialisation, saving, loading.

    Attributes:
        has_new_lm_head: Whether the masked-LM head began at random beside a pretrained language model.
    """

    has_new_lm_head = False
    config: DragonConfig
    config_class = DragonConfig
    base_model_prefix = "dragon"
    _supports_sdpa = True
    # Of the language model's layers; what the graph layers keep is little.
    supports_gradient_checkpointing = True

    @classmethod
    def from_encoder(cls, folder: Path, entities: Path | None = None, **options: Any) -> Self:
        """A new model over a pretrained language model.

        Args:
            folder: The language model, as `AutoModelForMaskedLM` reads it; without a masked-LM head the head is new.
            entities: The entity table; None for the LM alone.
            options: Fields of `DragonConfig`.
        """
        table = None if entities is None else open_entities(entities)
        if table is not None:
            options |= {"num_entities": table.shape[0], "entity_size": table.shape[1]}
        model = cls(DragonConfig(backbone=AutoConfig.from_pretrained(folder), **options))
        model._load_encoder(folder)
        if entities is not None and model.config.has_graph:
            cast(DragonModel, model.get_submodule("dragon")).load_entities(entities)
        return model

    def _load_encoder(self, folder: Path) -> None:
        encoder, loading = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
        backbone = self.get_submodule("dragon.backbone")
        # Models with a masked-LM head come without the pooler that the file may have.
        backbone.load_state_dict(AutoModel.from_pretrained(folder).state_dict(), strict=False)
        if hasattr(self, "lm_head"):
            self.lm_head.load_state_dict(masked_lm_head_of(encoder))
            in_backbone = f"{encoder.base_model_prefix}."
            self.has_new_lm_head = not all(name.startswith(in_backbone) for name in loading["missing_keys"])

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        std = self.config.initializer_range
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=std)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm | nn.BatchNorm1d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
            if isinstance(module, nn.BatchNorm1d):
                module.reset_running_stats()
        elif isinstance(module, EntityTable) and module.weight is not None:
            nn.init.normal_(module.weight, std=std)


class DragonModel(DragonPreTrainedModel):
    """The encoder: a language model whose last k layers are fused with a graph network.

    Attributes:
        backbone: The language model.
        entities: The entity table.
    """

    def __init__(self, config: DragonConfig) -> None:
        super().__init__(config)
        self.backbone = new_backbone(config.backbone)
        if config.has_graph:
            self.node_features = NodeFeatures(config)
            self.graph = GraphNetwork(config)
            self.entities = EntityTable(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The word embeddings."""
        embeddings: nn.Module = self.backbone.get_input_embeddings()
        return embeddings

    def load_entities(self, path: Path) -> None:
        """Use the entity vectors of a file, `entities.npy` of an entity table.

        Raises:
            ValueError: The table has another shape than the configuration says.
        """
        self.entities.load(path)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        concept_ids: torch.Tensor | None = None,
        node_types: torch.Tensor | None = None,
        node_scores: torch.Tensor | None = None,
        node_batch: torch.Tensor | None = None,
        edge_index: torch.Tensor | None = None,
        edge_type: torch.Tensor | None = None,
        output_attentions: bool = False,
    ) -> DragonModelOutput:
        """Encode texts and their graphs; the shapes are those of the module's docstring.

        `output_attentions` adds the attention of every layer, of the language model and of the graph network.

        Raises:
            ValueError: The graphs or the entity vectors are missing; or a text is too long, an id past its table, an
                edge outside its graph, or a score not finite: the message names the example and the value.
        """
        check_text(input_ids, attention_mask, self.config)
        lm = LayerByLayer(self.backbone, input_ids, attention_mask, token_type_ids, output_attentions)
        text = lm.embedded
        if not self.config.has_graph:
            for index in range(len(lm)):
                text = lm.layer(index, text)
            attentions = tuple(lm.attentions) or None
            return DragonModelOutput(text, self._pooled(text, attention_mask), attentions=attentions)
        if concept_ids is None or node_types is None or node_batch is None or edge_index is None or edge_type is None:
            raise ValueError(
                "concept_ids, node_types, node_batch, edge_index and edge_type are needed: the model has a graph"
            )
        graphs = (concept_ids, node_types, node_scores, node_batch, edge_index, edge_type)
        check_graphs(len(input_ids), *graphs, self.config)
        is_context = concept_ids == 0
        entities = self.entities((concept_ids - 1).clamp(min=0))
        nodes, extra = self.node_features(entities, is_context, node_types, node_scores, node_batch)
        context = torch.searchsorted(node_batch, torch.arange(len(input_ids), device=node_batch.device))
        edges = Edges(edge_index, edge_type, node_types, self.config)
        edge_features = self.graph.edge_features(edges)
        entered, first_fused = nodes, len(lm) - self.config.num_fusion_layers
        node_attentions: list[torch.Tensor] = []
        # With one interaction at the start of the graph network, that runs after the whole language model.
        alternating = self.config.interaction != "once"
        for index in range(len(lm)):
            text = lm.layer(index, text)
            if alternating and index >= first_fused:
                text, nodes, attention = self.graph.layer(
                    index - first_fused, text, attention_mask, nodes, extra, context, edges, edge_features
                )
                node_attentions.append(attention)
        if not alternating:
            nodes = entered = self.graph.enter(self._pooled(text, attention_mask), nodes, context)
            for index in range(self.config.num_fusion_layers):
                text, nodes, attention = self.graph.layer(
                    index, text, attention_mask, nodes, extra, context, edges, edge_features
                )
                node_attentions.append(attention)
        return DragonModelOutput(
            last_hidden_state=text,
            pooler_output=self._pooled(text, attention_mask),
            node_hidden_state=self.graph.output(entered, nodes),
            context_positions=context,
            attentions=tuple(lm.attentions) or None,
            node_attentions=tuple(node_attentions) if output_attentions else None,
        )

    def _pooled(self, text: torch.Tensor, attention_mask: torch.Tensor | None) -> torch.Tensor:
        if self.config.text_vector == "mean":
            return token_mean(text, attention_mask)
        pooled: torch.Tensor = self.backbone.pooler(text)
        return pooled


class DragonForPreTraining(DragonPreTrainedModel):
    """Masked language modelling and link prediction as one loss."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__(config)
        self.dragon = DragonModel(config)
        self.lm_head = MaskedLMHead(config)
        if config.has_graph:
            self.link_predictor = LinkPredictor(config)
        self.post_init()

    def forward(
        self,
        labels: torch.Tensor | None = None,
        link_head: torch.Tensor | None = None,
        link_relation: torch.Tensor | None = None,
        link_tail: torch.Tensor | None = None,
        link_negatives: torch.Tensor | None = None,
        link_candidates: torch.Tensor | None = None,
        **batch: Any,
    ) -> DragonForPreTrainingOutput:
        """Losses of a batch.

        Args:
            labels: [B, T] token ids at masked positions, -100 elsewhere.
            link_head: [P] positions of the true triples' heads among the nodes.
            link_relation: [P] their edge types.
            link_tail: [P] positions of their tails.
            link_negatives: [P, K] positions; the first K // 2 replace the head, the others the tail.
            link_candidates: [P, C] positions like `link_negatives`, to be scored besides, for evaluation.
            batch: The arguments of `DragonModel.forward`.
        """
        encoded = self.dragon(**batch)
        loss = encoded.last_hidden_state.new_zeros(())
        output = DragonForPreTrainingOutput(model=encoded)
        if labels is not None:
            masked = labels != -100
            output.mlm_logits = self.lm_head(
                encoded.last_hidden_state[masked], self.dragon.get_input_embeddings().weight
            )
            count = masked.sum().clamp(min=1)
            output.mlm_loss = F.cross_entropy(output.mlm_logits.float(), labels[masked], reduction="sum") / count
            loss = loss + output.mlm_loss
        if link_head is not None and self.config.has_graph:
            if link_relation is None or link_tail is None or link_negatives is None:
                raise ValueError("link_relation, link_tail and link_negatives are needed beside link_head")
            check_links(batch["node_batch"], link_head, link_relation, link_tail, link_negatives, self.config)
            triples = (encoded.node_hidden_state, link_head, link_relation, link_tail)
            predictor = self.link_predictor
            output.positive_scores, output.negative_scores = predictor(*triples, link_negatives)
            positive_loss, negative_loss = predictor.losses(output.positive_scores, output.negative_scores)
            output.link_positive_loss, output.link_negative_loss = positive_loss, negative_loss
            output.link_regularization = predictor.regularization()
            output.link_loss = (positive_loss + negative_loss) / 2 + output.link_regularization
            if link_candidates is not None:
                output.candidate_scores = predictor.candidate_scores(*triples, link_candidates)
            loss = loss + output.link_loss
        output.loss = loss
        return output


class DragonForMultipleChoice(DragonPreTrainedModel):
    """Scores each choice of a question, read together with the question and their common graph."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__(config)
        self.dragon = DragonModel(config)
        self.classifier = AnswerClassifier(config)
        self.post_init()

    def forward(
        self, num_choices: int | torch.Tensor, labels: torch.Tensor | None = None, **batch: Any
    ) -> DragonForMultipleChoiceOutput:
        """Logits of a batch.

        Args:
            num_choices: Choices of every question, or [questions] of each; the B texts are their choices in order.
            labels: [questions] position of the right choice.
            batch: The arguments of `DragonModel.forward`.
        """
        encoded = self.dragon(**batch)
        graphs = (batch.get(name) for name in ("node_batch", "node_types", "node_scores", "edge_index"))
        parts, attention = self.classifier(encoded, *graphs)
        parts = [_by_question(part, num_choices) for part in parts]
        loss = None
        if labels is not None:
            # Each learns as if it were alone: what the relevance tells is not lost on what is known by heart.
            loss = torch.stack([F.cross_entropy(part.float(), labels) for part in parts]).sum()
        logits = torch.stack(parts).sum(dim=0)
        return DragonForMultipleChoiceOutput(loss=loss, logits=logits, node_attention=attention, model=encoded)


class DragonForSequenceClassification(DragonPreTrainedModel):
    """Labels a text, or a pair of texts, read together with its graph; `num_labels` and `problem_type` as usual."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__(config)
        self.dragon = DragonModel(config)
        self.classifier = AnswerClassifier(config, cast(int, config.num_labels))
        self.post_init()

    def forward(self, labels: torch.Tensor | None = None, **batch: Any) -> DragonForSequenceClassificationOutput:
        """Logits of a batch.

        Args:
            labels: [B] classes, or [B] numbers for a regression, or [B, num_labels] for several labels at once.
            batch: The arguments of `DragonModel.forward`.
        """
        encoded = self.dragon(**batch)
        graphs = (batch.get(name) for name in ("node_batch", "node_types", "node_scores", "edge_index"))
        parts, attention = self.classifier(encoded, *graphs)
        logits = torch.stack(parts).sum(dim=0)
        loss = None
        if labels is not None:
            # As for multiple choice; but numbers that are to be near another in sum cannot each be near it.
            if self.config.num_labels == 1 or self.config.problem_type == "regression":
                parts = [logits]
            losses = [ForSequenceClassificationLoss(labels, part.float(), self.config) for part in parts]
            loss = torch.stack(losses).sum()
        return DragonForSequenceClassificationOutput(loss=loss, logits=logits, node_attention=attention, model=encoded)


def _by_question(logits: torch.Tensor, num_choices: int | torch.Tensor) -> torch.Tensor:
    """[questions, most choices] of the logits [B, 1] of choices; -inf where a question has fewer."""
    if isinstance(num_choices, int):
        return logits.view(-1, num_choices)
    of_questions = logits.view(-1).split(num_choices.tolist())
    return nn.utils.rnn.pad_sequence(of_questions, batch_first=True, padding_value=-torch.inf)


def masked_lm_head_of(encoder: PreTrainedModel) -> dict[str, torch.Tensor]:
    """State of `MaskedLMHead` out of a model with the masked-LM head of its architecture."""
    state = encoder.state_dict()
    match encoder.config.model_type:
        case "roberta":
            names = {"dense": "lm_head.dense", "norm": "lm_head.layer_norm", "bias": "lm_head.bias"}
        case "electra":
            names = {
                "dense": "generator_predictions.dense",
                "norm": "generator_predictions.LayerNorm",
                "bias": "generator_lm_head.bias",
            }
        case _:
            names = {
                "dense": "cls.predictions.transform.dense",
                "norm": "cls.predictions.transform.LayerNorm",
                "bias": "cls.predictions.bias",
            }
    head = {"bias": state[names["bias"]]}
    for part in ("dense", "norm"):
        head |= {f"{part}.{kind}": state[f"{names[part]}.{kind}"] for kind in ("weight", "bias")}
    return head


AutoModel.register(DragonConfig, DragonModel)
AutoModelForPreTraining.register(DragonConfig, DragonForPreTraining)
AutoModelForMultipleChoice.register(DragonConfig, DragonForMultipleChoice)
AutoModelForSequenceClassification.register(DragonConfig, DragonForSequenceClassification)
