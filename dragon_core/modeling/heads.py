"""Heads on top of the encoder: masked language modelling, and question answering."""

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from transformers.activations import ACT2FN

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.edge_products import Groups, by_head, dot, from_heads, softmax, weighted_sum
from dragon_core.modeling.outputs import DragonModelOutput
from dragon_core.modeling.perceptron import Perceptron
from dragon_core.modeling.relevance_readout import NUM_FEATURES, RelevanceReadout


class MaskedLMHead(nn.Module):
    """Dense, activation, LayerNorm, and the transposed word embeddings as the output layer."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        backbone = config.backbone
        size = getattr(backbone, "embedding_size", None) or backbone.hidden_size
        self.dense = nn.Linear(backbone.hidden_size, size)
        self.norm = nn.LayerNorm(size, eps=backbone.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(backbone.vocab_size))
        # RoBERTa's and ELECTRA's heads have GELU whatever the activation of their layers is.
        self.activation = ACT2FN["gelu" if backbone.model_type in ("roberta", "electra") else backbone.hidden_act]

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
        nodes = nodes[graph < len(text)]
        graph = graph[: len(nodes)]
        heads, positions = self.num_heads, torch.arange(len(nodes), device=nodes.device)
        of_graph = Groups(graph, len(text))
        is_context = torch.zeros_like(graph, dtype=torch.bool).index_fill(0, context, True)
        left_out = is_context & (of_graph.counts[graph] > 1)
        of_graph, of_node = of_graph.for_heads(heads), Groups(positions, len(nodes)).for_heads(heads)
        query, key, value = (
            by_head(layer(rows), heads) for layer, rows in ((self.query, text), (self.key, nodes), (self.value, nodes))
        )
        scores = dot(query, key, of_graph, of_node) / math.sqrt(key.shape[1])
        attention = softmax(scores.masked_fill(left_out.repeat(heads), torch.finfo(scores.dtype).min), of_graph)
        pooled = from_heads(weighted_sum(self.dropout(attention), value, of_node, of_graph), heads)
        return pooled, attention.unflatten(0, (heads, -1))


class AnswerClassifier(nn.Module):
    """Logits of a text and its graph: one for a question with one choice, or one a label.

    They come in parts, which are to be added: what the perceptron makes of text and graph and, if the relevance is
    read, what a linear layer makes of that.
    """

    def __init__(self, config: DragonConfig, num_outputs: int = 1) -> None:
        super().__init__()
        hidden, d = config.backbone.hidden_size, config.node_size
        self.pooler = GraphPooler(config) if config.has_graph else None
        reads_relevance = config.has_graph and config.relevance_readout
        self.relevance = RelevanceReadout() if reads_relevance else None
        self.of_relevance = nn.Linear(NUM_FEATURES, num_outputs) if reads_relevance else None
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.perceptron = Perceptron(
            hidden + 2 * d if config.has_graph else hidden,
            config.classifier_size,
            num_outputs,
            config.classifier_depth,
            config.classifier_dropout,
            layer_norm=True,
        )

    def forward(
        self,
        encoded: DragonModelOutput,
        node_batch: torch.Tensor | None = None,
        node_types: torch.Tensor | None = None,
        node_scores: torch.Tensor | None = None,
        edge_index: torch.Tensor | None = None,
    ) -> tuple[list[torch.Tensor], torch.Tensor | None]:
        """Parts of the logits, [B, outputs] each, and node attention [heads, N]; of the batch the graphs are read."""
        text = encoded.pooler_output
        assert text is not None
        if self.pooler is None:
            return [self.perceptron(self.dropout(text))], None
        nodes, context = encoded.node_hidden_state, encoded.context_positions
        assert nodes is not None
        assert context is not None
        assert node_batch is not None
        pooled, attention = self.pooler(text, nodes, node_batch, context)
        parts = [self.perceptron(self.dropout(torch.cat([self.dropout(pooled), text, nodes[context]], dim=1)))]
        if self.relevance is not None and self.of_relevance is not None:
            assert node_types is not None
            assert edge_index is not None
            numbers = self.relevance(node_batch, node_types, node_scores, edge_index, len(text))
            parts.append(self.of_relevance(numbers))
        return parts, attention
