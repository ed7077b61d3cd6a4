"""Heads on top of the encoder: masked language modelling, and question answering."""

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from transformers.activations import ACT2FN

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.graph_layers import softmax_by_group
from dragon_core.modeling.perceptron import Perceptron


class MaskedLMHead(nn.Module):
    """Dense, activation, LayerNorm, and the transposed word embeddings as the output layer."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        backbone = config.backbone
        size = getattr(backbone, "embedding_size", None) or backbone.hidden_size
        self.dense = nn.Linear(backbone.hidden_size, size)
        self.norm = nn.LayerNorm(size, eps=backbone.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(backbone.vocab_size))
        # RoBERTa's head has GELU whatever the activation of its layers is.
        self.activation = ACT2FN["gelu" if backbone.model_type == "roberta" else backbone.hidden_act]

    def forward(self, hidden: torch.Tensor, word_embeddings: torch.Tensor) -> torch.Tensor:
        """Logits [M, vocabulary] of [M, hidden], given the word embeddings [vocabulary, size]."""
        return F.linear(self.norm(self.activation(self.dense(hidden))), word_embeddings, self.bias)


class GraphPooler(nn.Module):
    """Attention of a text over the nodes of its graph, the context node left out where there is another."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        d = config.node_size
        self.num_heads = config.num_pooling_heads
        self.query = nn.Linear(config.backbone.hidden_size, d)
        self.key = nn.Linear(d, d)
        self.value = nn.Linear(d, d)
        self.dropout = nn.Dropout(config.classifier_dropout)

    def forward(
        self, text: torch.Tensor, nodes: torch.Tensor, graph: torch.Tensor, context: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pool the nodes of each graph.

        Args:
            text: [B, hidden] pooled texts.
            nodes: [N, d].
            graph: [N] in 0..B-1, sorted.
            context: [B] positions of the context nodes.

        Returns:
            Pooled nodes [B, d] and the attention [heads, N].
        """
        # Nodes of graphs beyond the texts take part in no pooling.
        kept = graph < len(text)
        nodes, graph = nodes[kept], graph[kept]
        sizes = torch.bincount(graph, minlength=len(text))
        is_context = torch.zeros(len(nodes), dtype=torch.bool, device=nodes.device).index_fill(0, context, True)
        query = self.query(text).unflatten(1, (self.num_heads, -1))
        key = self.key(nodes).unflatten(1, (self.num_heads, -1))
        value = self.value(nodes).unflatten(1, (self.num_heads, -1))
        scores = (query[graph] * key).sum(-1) / math.sqrt(key.shape[-1])
        scores = scores.masked_fill((is_context & (sizes[graph] > 1))[:, None], torch.finfo(scores.dtype).min)
        attention = softmax_by_group(scores, graph, len(text)).to(value.dtype)
        attention = self.dropout(attention)
        pooled = value.new_zeros(len(text), *value.shape[1:]).index_add(0, graph, attention[..., None] * value)
        return pooled.flatten(1), attention.T


class AnswerClassifier(nn.Module):
    """One logit for a question with one choice."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        hidden, d = config.backbone.hidden_size, config.node_size
        self.pooler = GraphPooler(config) if config.has_graph else None
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.perceptron = Perceptron(
            hidden + 2 * d if config.has_graph else hidden,
            config.classifier_size,
            1,
            config.classifier_depth,
            config.classifier_dropout,
            layer_norm=True,
        )

    def forward(
        self,
        text: torch.Tensor,
        nodes: torch.Tensor | None,
        graph: torch.Tensor | None,
        context: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Logits [B] and node attention [heads, N]; without a graph only `text` [B, hidden] is read."""
        attention = None
        features = text
        if self.pooler is not None:
            assert nodes is not None
            assert graph is not None
            assert context is not None
            pooled, attention = self.pooler(text, nodes, graph, context)
            features = torch.cat([self.dropout(pooled), text, nodes[context]], dim=1)
        return self.perceptron(self.dropout(features))[:, 0], attention
