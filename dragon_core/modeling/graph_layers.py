"""The graph network: edge encoder and attention layer over a batch of graphs laid end to end.

Shapes: N nodes and E edges of all graphs together, d = node_size, H = heads, C = kinds of edges that occur. Formulas:
GreaseLM (Zhang et al., ICLR 2022) and QA-GNN (Yasunaga et al., NAACL 2021).

The edge encoder's input is one of C = (edge types + 1) x node types^2 combinations. Each is computed once for a batch,
not once an edge; batch statistics are weighted by how many edges are of that kind, which gives the same numbers.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.edge_products import Groups, by_head, dot, from_heads, softmax, weighted_sum
from dragon_core.modeling.process_sums import num_processes, summed


def gelu(x: torch.Tensor) -> torch.Tensor:
    """The tanh approximation of GELU, used everywhere outside the backbone."""
    return F.gelu(x, approximate="tanh")


@dataclass(frozen=True)
class ExtraFeatures:
    """Features of the nodes that all graph layers see, in a form in which equal rows stand once.

    Attributes:
        one_hot: [N, node types].
        types: [node types, d / 2] features of each type.
        scores: [N, d / 2] features of each node's score, or [1, d / 2] if all have the same.
    """

    one_hot: torch.Tensor
    types: torch.Tensor
    scores: torch.Tensor

    def linear(self, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """A linear layer [out, d] on cat[type features, score features] of each node: [N, out]."""
        of_types, of_scores = weight.chunk(2, dim=1)
        rows = F.linear(self.types, of_types, bias)
        if len(self.scores) == 1:
            return self.one_hot @ (rows + F.linear(self.scores, of_scores))
        return torch.addmm(self.one_hot @ rows, self.scores, of_scores.T)


class CountedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation of rows that stand for several equal ones each, over the batches of all processes.

    Args:
        features: Width of a row.
        updates: How often a forward pass updates the running statistics: the published model computes its edge features
            anew, from the same edges, in each of its layers.
    """

    def __init__(self, features: int, updates: int = 1) -> None:
        super().__init__(features)
        self.updates = updates

    def forward(self, rows: torch.Tensor, counts: torch.Tensor | None = None) -> torch.Tensor:
        """Normalise as if row i stood `counts[i]` times in the batch.

        Args:
            rows: [R, features].
            counts: [R] integers; None: each row once.

        Returns:
            [R, features].
        """
        if not self.training or (counts is None and len(rows) > 1 and num_processes() == 1):
            return super().forward(rows)
        # Sums over a batch are too large for 16 bits, and too coarse.
        with torch.autocast(rows.device.type, enabled=False):
            return self._normalized(rows.float(), counts).to(rows.dtype)

    def _normalized(self, rows: torch.Tensor, counts: torch.Tensor | None) -> torch.Tensor:
        weights = rows.new_ones(len(rows)) if counts is None else counts.to(rows.dtype)
        total = summed(weights.sum())
        mean = summed(weights @ rows) / total
        variance = summed(weights @ (rows - mean).square()) / total
        self._update_statistics(mean.detach(), variance.detach() * (total / (total - 1).clamp(min=1)))
        return (rows - mean) * torch.rsqrt(variance + self.eps) * self.weight + self.bias

    @torch.no_grad()
    def _update_statistics(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        weight = 1 - (1 - self.momentum) ** self.updates
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), weight)
        self.running_var.lerp_(variance.to(self.running_var.dtype), weight)
        self.num_batches_tracked.add_(self.updates)


class Edges:
    """The edges of a batch and the self loops, sorted by what attention sums over; made once for all layers.

    Attributes:
        kinds: [C] the kinds that occur, ascending: edge type, source type and target type as one number.
        counts: [C] edges of each.
        source: Of each edge and head, the row of a table [heads x N].
        target: The same for the edge's other end.
        kind: The same for its kind, a row of a table [heads x C].
    """

    def __init__(
        self, edge_index: torch.Tensor, edge_type: torch.Tensor, node_types: torch.Tensor, config: DragonConfig
    ) -> None:
        types, size = config.num_node_types, len(node_types)
        nodes = torch.arange(size, device=node_types.device)
        source, target = torch.cat([edge_index, nodes.expand(2, -1)], dim=1)
        edge_type = torch.cat([edge_type, edge_type.new_full((size,), config.num_edge_types)])
        kind = (edge_type * types + node_types[source]) * types + node_types[target]
        self.kinds, kind, self.counts = kind.unique(return_inverse=True, return_counts=True)
        heads = config.num_graph_heads
        self.source = Groups(source, size).for_heads(heads)
        self.target = Groups(target, size).for_heads(heads)
        self.kind = Groups(kind, len(self.kinds)).for_heads(heads)


class EdgeEncoder(nn.Module):
    """Linear, BatchNorm, ReLU, Linear on the one-hots of (edge type, source type, target type)."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        self.num_edge_types = config.num_edge_types + 1
        self.num_node_types = config.num_node_types
        self.input = nn.Linear(self.num_edge_types + 2 * self.num_node_types, config.node_size)
        self.norm = CountedBatchNorm1d(config.node_size, updates=config.num_fusion_layers)
        self.output = nn.Linear(config.node_size, config.node_size)

    def forward(self, edges: Edges) -> torch.Tensor:
        """Encode every kind of edge that occurs: [C, d]."""
        # A linear layer on one-hots is a sum of columns of its weight.
        types = self.num_node_types
        edge, source, target = self.input.weight.T.split([self.num_edge_types, types, types])
        rows = edge[edges.kinds // types**2] + source[edges.kinds // types % types] + target[edges.kinds % types]
        encoded: torch.Tensor = self.output(F.relu(self.norm(rows + self.input.bias, edges.counts)))
        return encoded


class GraphAttention(nn.Module):
    """One layer: messages along the edges, weighted by attention among the edges of the same source."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        d = config.node_size
        self.num_heads = config.num_graph_heads
        self.key = nn.Linear(3 * d, d)
        self.message = nn.Linear(3 * d, d)
        self.query = nn.Linear(2 * d, d)
        self.input = nn.Linear(d, d)
        self.norm = CountedBatchNorm1d(d)
        self.output = nn.Linear(d, d)

    def forward(
        self, nodes: torch.Tensor, extra: ExtraFeatures, edges: Edges, edge_features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pass messages once.

        For an edge s -> t: score = query(s) . key(t, edge) / sqrt(d / H); alpha = softmax over the edges of s, times
        their number; the new t is the sum of alpha * message(s, edge), through a perceptron. A key is the sum of a part
        of the node's and a part of the edge's kind, and so is a message: only the scores and alpha are of each edge.

        Args:
            nodes: [N, d].
            extra: Type and score features of the nodes.
            edges: The batch's edges.
            edge_features: [C, d] of the edge encoder.

        Returns:
            [N, d], before activation and dropout; and the softmax, [heads x (E + N)].
        """
        d = nodes.shape[1]
        weights = torch.cat([self.key.weight[:, : 2 * d], self.message.weight[:, : 2 * d], self.query.weight])
        bias = torch.cat([self.key.bias, self.message.bias, self.query.bias])
        projected = torch.addmm(extra.linear(weights[:, d:], bias), nodes, weights[:, :d].T)
        keys, messages, queries = (by_head(part, self.num_heads) for part in projected.split(d, dim=1))
        edge_keys = by_head(F.linear(edge_features, self.key.weight[:, 2 * d :]), self.num_heads)
        edge_messages = by_head(F.linear(edge_features, self.message.weight[:, 2 * d :]), self.num_heads)
        scores = dot(queries, keys, edges.source, edges.target) + dot(queries, edge_keys, edges.source, edges.kind)
        attention = softmax(scores / math.sqrt(d / self.num_heads), edges.source)
        alpha = attention * edges.source.counts.index_select(0, edges.source.index)
        summed = weighted_sum(alpha, messages, edges.source, edges.target)
        summed = summed + weighted_sum(alpha, edge_messages, edges.kind, edges.target)
        aggregated = from_heads(summed, self.num_heads)
        updated: torch.Tensor = self.output(F.relu(self.norm(self.input(aggregated))))
        return updated, attention
