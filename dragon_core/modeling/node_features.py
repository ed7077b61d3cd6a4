"""What a node brings to the graph network: its entity vector, its type, its relevance score."""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.graph_layers import ExtraFeatures, gelu

SCORE_BASE = 1.1


class NodeFeatures(nn.Module):
    """Entity vectors to node vectors, and the features of type and score that every graph layer sees."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        half = config.node_size // 2
        self.use_scores = config.use_node_scores
        self.num_types = config.num_node_types
        self.transform = (
            None if config.entity_size == config.node_size else nn.Linear(config.entity_size, config.node_size)
        )
        self.dropout = nn.Dropout(config.entity_dropout)
        self.type_encoder = nn.Linear(config.num_node_types, half)
        self.score_encoder = nn.Linear(half, half)

    def forward(
        self,
        entities: torch.Tensor,
        is_context: torch.Tensor,
        types: torch.Tensor,
        scores: torch.Tensor | None,
        graph: torch.Tensor,
    ) -> tuple[torch.Tensor, ExtraFeatures]:
        """Make the features.

        Args:
            entities: [N, entity_size] rows of the entity table; a context node's is not looked at.
            is_context: [N] whether it is a context node, which enters as the zero vector.
            types: [N].
            scores: [N] relevance, or None.
            graph: [N] the graph of each node, sorted; a graph's first node is its context node.

        Returns:
            Node vectors [N, d], and the extra features.
        """
        vectors = entities if self.transform is None else gelu(self.transform(entities))
        vectors = self.dropout(vectors.masked_fill(is_context[:, None], 0))
        half = self.score_encoder.in_features
        exponents = torch.arange(half, device=types.device, dtype=self.score_encoder.weight.dtype)
        if self.use_scores and scores is not None:
            normalized = normalize_scores(scores, graph)
        else:
            normalized = exponents.new_zeros(1)
        # sin(1.1^j s) for j = 0 .. d/2 - 1
        waves = torch.sin(SCORE_BASE**exponents * normalized[:, None])
        return vectors, ExtraFeatures(
            one_hot=F.one_hot(types, self.num_types).to(vectors.dtype),
            # A linear layer on one-hots: its columns.
            types=gelu(self.type_encoder.weight.T + self.type_encoder.bias),
            scores=gelu(self.score_encoder(waves)),
        )


def normalize_scores(scores: torch.Tensor, graph: torch.Tensor) -> torch.Tensor:
    """Negated, relative to the context node's, divided by their mean magnitude within the graph.

    Args:
        scores: [N].
        graph: [N] sorted; a graph's first node is its context node.

    Returns:
        [N].
    """
    _, sizes = torch.unique_consecutive(graph, return_counts=True)
    first = sizes.cumsum(0) - sizes
    relative = -scores + scores[first].repeat_interleave(sizes)
    position = torch.arange(len(sizes), device=graph.device).repeat_interleave(sizes)
    mean = relative.new_zeros(len(sizes)).index_add(0, position, relative.abs()) / sizes
    return relative / (mean[position] + 1e-5)
