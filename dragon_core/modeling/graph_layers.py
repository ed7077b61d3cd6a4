"""The graph network: edge encoder and attention layer over a batch of graphs laid end to end.

Shapes: N nodes and E edges of all graphs together, d = node_size, H = heads, C = distinct kinds of edges. Formulas:
GreaseLM (Zhang et al., ICLR 2022) and QA-GNN (Yasunaga et al., NAACL 2021).

The edge encoder's input is one of C = (edge types + 1) x node types^2 combinations. Each is computed once for a batch,
not once an edge; batch statistics are weighted by how many edges are of that kind, which gives the same numbers.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from dragon_core.modeling.configuration_dragon import DragonConfig


def gelu(x: torch.Tensor) -> torch.Tensor:
    """The tanh approximation of GELU, used everywhere outside the backbone."""
    return F.gelu(x, approximate="tanh")


class CountedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation of rows that stand for several equal ones each.

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
        if not self.training:
            return super().forward(rows)
        weights = rows.new_ones(len(rows)) if counts is None else counts.to(rows.dtype)
        total = weights.sum()
        mean = weights @ rows / total
        variance = weights @ (rows - mean).square() / total
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


class EdgeKinds:
    """Edges of a batch with the self loops, sorted into kinds.

    Attributes:
        source: [E + N] positions.
        target: [E + N] positions.
        kind: [E + N] in 0..C-1: edge type, source type and target type as one number.
        counts: [C] edges of each kind.
        out_degree: [N] edges of each source, its self loop included.
    """

    def __init__(
        self, edge_index: torch.Tensor, edge_type: torch.Tensor, node_types: torch.Tensor, config: DragonConfig
    ) -> None:
        types, nodes = config.num_node_types, torch.arange(len(node_types), device=node_types.device)
        self.source = torch.cat([edge_index[0], nodes])
        self.target = torch.cat([edge_index[1], nodes])
        edge_type = torch.cat([edge_type, edge_type.new_full((len(nodes),), config.num_edge_types)])
        self.kind = (edge_type * types + node_types[self.source]) * types + node_types[self.target]
        self.counts = torch.bincount(self.kind, minlength=(config.num_edge_types + 1) * types * types)
        self.out_degree = torch.bincount(self.source, minlength=len(nodes))


class EdgeEncoder(nn.Module):
    """Linear, BatchNorm, ReLU, Linear on the one-hots of (edge type, source type, target type)."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        self.num_edge_types = config.num_edge_types + 1
        self.num_node_types = config.num_node_types
        self.input = nn.Linear(self.num_edge_types + 2 * self.num_node_types, config.node_size)
        self.norm = CountedBatchNorm1d(config.node_size, updates=config.num_fusion_layers)
        self.output = nn.Linear(config.node_size, config.node_size)

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        """Encode every kind of edge.

        Args:
            counts: [C] edges of each kind in the batch.

        Returns:
            [C, d].
        """
        # A linear layer on one-hots is a sum of columns of its weight.
        columns = self.input.weight.T
        edge, source, target = columns.split([self.num_edge_types, self.num_node_types, self.num_node_types])
        rows = edge[:, None, None] + source[None, :, None] + target[None, None, :] + self.input.bias
        encoded: torch.Tensor = self.output(F.relu(self.norm(rows.flatten(0, 2), counts)))
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
        self, nodes: torch.Tensor, extra: torch.Tensor, edges: EdgeKinds, edge_features: torch.Tensor
    ) -> torch.Tensor:
        """Pass messages once.

        For an edge s -> t: score = query(s) . key(t, edge) / sqrt(d / H); alpha = softmax over the edges of s, times
        their number; the new t is the sum of alpha * message(s, edge), through a perceptron.

        Args:
            nodes: [N, d].
            extra: [N, d] type and score features.
            edges: The batch's edges.
            edge_features: [C, d] of the edge encoder.

        Returns:
            [N, d], before activation and dropout.
        """
        x, size = torch.cat([nodes, extra], dim=1), nodes.shape[1]
        keys, edge_keys = _split_linear(self.key, x, edge_features)
        messages, edge_messages = _split_linear(self.message, x, edge_features)
        queries = self.query(x) / math.sqrt(size / self.num_heads)
        key = keys[edges.target] + edge_keys[edges.kind]
        scores = (queries[edges.source] * key).unflatten(1, (self.num_heads, -1)).sum(-1)
        alpha = softmax_by_group(scores, edges.source, len(nodes)) * edges.out_degree[edges.source, None]
        message = (messages[edges.source] + edge_messages[edges.kind]).unflatten(1, (self.num_heads, -1))
        weighted = (alpha.to(message.dtype)[..., None] * message).flatten(1)
        aggregated = torch.zeros_like(messages).index_add(0, edges.target, weighted)
        updated: torch.Tensor = self.output(F.relu(self.norm(self.input(aggregated))))
        return updated


def _split_linear(linear: nn.Linear, x: torch.Tensor, edges: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A linear layer on cat[node, edge] as one part a node and one a kind of edge, to be added."""
    node_weight, edge_weight = linear.weight.split([x.shape[1], edges.shape[1]], dim=1)
    return F.linear(x, node_weight, linear.bias), F.linear(edges, edge_weight)


def softmax_by_group(scores: torch.Tensor, group: torch.Tensor, num_groups: int) -> torch.Tensor:
    """Softmax over the rows of the same group, a column on its own.

    Args:
        scores: [R, columns].
        group: [R] in 0..num_groups-1.
        num_groups: How many groups there are; some may have no row.

    Returns:
        [R, columns] in float32.
    """
    scores = scores.float()
    index = group[:, None].expand_as(scores)
    shape = (num_groups, scores.shape[1])
    largest = scores.new_full(shape, -torch.inf).scatter_reduce(0, index, scores.detach(), "amax")
    exponents = (scores - largest[group]).exp()
    total = scores.new_zeros(shape).index_add(0, group, exponents)
    return exponents / total[group]
