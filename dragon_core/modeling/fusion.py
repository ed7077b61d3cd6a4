"""Fusion: in the last k layers of the language model a graph layer runs beside it, and both exchange information.

The first token and the context node speak for text and graph: after each fused pair of layers the concatenation of
their vectors passes a perceptron and is split again (Zhang et al., ICLR 2022; Yasunaga et al., NeurIPS 2022).
"""

import torch
from torch import nn

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.graph_layers import EdgeEncoder, Edges, ExtraFeatures, GraphAttention, gelu
from dragon_core.modeling.perceptron import Perceptron


class Exchange(nn.Module):
    """The exchange of information between a text's first token and its context node."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        size = config.backbone.hidden_size + config.node_size
        count = config.num_fusion_layers if config.separate_interaction else 1
        self.perceptrons = nn.ModuleList(
            Perceptron(size, config.interaction_size, size, config.interaction_depth, config.graph_dropout)
            for _ in range(count)
        )
        self.residual = config.interaction_residual
        self.norm = nn.LayerNorm(size) if self.residual == "layer-norm" else None

    def forward(
        self, text: torch.Tensor, nodes: torch.Tensor, context: torch.Tensor, layer: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Exchange once.

        Args:
            text: [B, T, hidden].
            nodes: [N, d].
            context: [B] positions of the context nodes.
            layer: Fusion layer, from 0.

        Returns:
            Text and nodes with token 0 and the context nodes replaced.
        """
        both = torch.cat([text[:, 0], nodes[context]], dim=1)
        fused = self.perceptrons[layer % len(self.perceptrons)](both)
        if self.residual != "none":
            fused = both + fused
        if self.norm is not None:
            fused = self.norm(fused)
        first, node = fused.split([text.shape[-1], nodes.shape[-1]], dim=1)
        text = torch.cat([first[:, None], text[:, 1:]], dim=1)
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

    def edge_features(self, edges: Edges) -> torch.Tensor | None:
        """[C, d] features of each kind of edge; None if there is no layer that could read them."""
        return None if self.edge_encoder is None else self.edge_encoder(edges)

    def layer(
        self,
        index: int,
        text: torch.Tensor,
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
            text, nodes = self.exchange(text, nodes, context, index)
        return text, nodes, attention

    def enter(self, pooled: torch.Tensor, nodes: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """Nodes [N, d] whose context nodes [B] are made from the pooled texts [B, hidden]."""
        assert self.entrance is not None
        return nodes.index_copy(0, context, gelu(self.entrance(pooled)).to(nodes.dtype))

    def output(self, entered: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
        """Node vectors [N, d] from those that entered the first layer and those that left the last."""
        result: torch.Tensor = self.dropout(gelu(self.output_input(entered) + self.output_hidden(left)))
        return result
