"""Fusion: in the last k layers of the language model a graph layer runs beside it, and both exchange information.

The first token and the context node speak for text and graph: after each fused pair of layers the concatenation of
their vectors passes a perceptron and is split again (Zhang et al., ICLR 2022; Yasunaga et al., NeurIPS 2022). That the
mean of a text's tokens may speak for it is ours.
"""

import torch
from torch import nn

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.graph_layers import EdgeEncoder, Edges, ExtraFeatures, GraphAttention, gelu
from dragon_core.modeling.perceptron import Perceptron
from dragon_core.modeling.token_mean import token_mean


class Exchange(nn.Module):
    """The exchange of information between a text, by its first token or the mean of all, and its context node."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        size = config.backbone.hidden_size + config.node_size
        count = config.num_fusion_layers if config.separate_interaction else 1
        self.perceptrons = nn.ModuleList(
            Perceptron(size, config.interaction_size, size, config.interaction_depth, config.graph_dropout)
            for _ in range(count)
        )
        self.text_vector = config.text_vector
        self.residual = config.interaction_residual
        self.norm = nn.LayerNorm(size) if self.residual == "layer-norm" else None

    def forward(
        self,
        text: torch.Tensor,
        attention_mask: torch.Tensor | None,
        nodes: torch.Tensor,
        context: torch.Tensor,
        layer: int,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Exchange once.

        Args:
            text: [B, T, hidden].
            attention_mask: [B, T] 0 where there is no token; None: there is one everywhere.
            nodes: [N, d].
            context: [B] positions of the context nodes.
            layer: Fusion layer, from 0.

        Returns:
            Text and nodes, with token 0 replaced, or all tokens moved so that their mean is, and the context nodes
            replaced.
        """
        is_first = self.text_vector == "first"
        speaker = text[:, 0] if is_first else token_mean(text, attention_mask)
        both = torch.cat([speaker, nodes[context]], dim=1)
        fused = self.perceptrons[layer % len(self.perceptrons)](both)
        if self.residual != "none":
            fused = both + fused
        if self.norm is not None:
            fused = self.norm(fused)
        spoken, node = fused.split([text.shape[-1], nodes.shape[-1]], dim=1)
        text = torch.cat([spoken[:, None], text[:, 1:]], dim=1) if is_first else text + (spoken - speaker)[:, None]
        return text, nodes.index_copy(0, context, node.to(nodes.dtype))


class GraphNetwork(nn.Module):
    """The k graph layers, their common edge encoder, the exchange, and the output layer of the nodes."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        d = config.node_size
        self.config = config
        self.edge_encoder = EdgeEncoder(config) if config.num_fusion_layers else None
        self.layers = nn.ModuleList(GraphAttention(config) for _ in range(config.num_fusion_layers))
        self.exchange = Exchange(config) if any(map(config.exchanges_in, range(config.num_fusion_layers))) else None
        self.entrance = nn.Linear(config.backbone.hidden_size, d) if config.interaction == "once" else None
        self.dropout = nn.Dropout(config.graph_dropout)
        self.output_input = nn.Linear(d, d)
        self.output_hidden = nn.Linear(d, d)
        # Nodes of new weights are short: their variance may be far below the usual eps.
        self.norm = nn.LayerNorm(d, eps=1e-12) if config.node_norm else None

    def edge_features(self, edges: Edges) -> torch.Tensor | None:
        """[C, d] features of each kind of edge; None if there is no layer that could read them."""
        return None if self.edge_encoder is None else self.edge_encoder(edges)

    def layer(
        self,
        index: int,
        text: torch.Tensor,
        attention_mask: torch.Tensor | None,
        nodes: torch.Tensor,
        extra: ExtraFeatures,
        context: torch.Tensor,
        edges: Edges,
        edge_features: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """One fusion layer, after the LM's: a graph layer, and the exchange if it is due.

        Returns:
            Text, nodes, and the graph layer's attention.
        """
        updated, attention = self.layers[index](nodes, extra, edges, edge_features)
        nodes = self.dropout(gelu(updated))
        if self.exchange is not None and self.config.exchanges_in(index):
            text, nodes = self.exchange(text, attention_mask, nodes, context, index)
        return text, nodes, attention

    def enter(self, pooled: torch.Tensor, nodes: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """Nodes [N, d] whose context nodes [B] are made from the pooled texts [B, hidden]."""
        assert self.entrance is not None
        return nodes.index_copy(0, context, gelu(self.entrance(pooled)).to(nodes.dtype))

    def output(self, entered: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
        """Node vectors [N, d] from those that entered the first layer and those that left the last."""
        result: torch.Tensor = self.dropout(gelu(self.output_input(entered) + self.output_hidden(left)))
        return result if self.norm is None else self.norm(result)
