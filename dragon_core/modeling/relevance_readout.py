"""What the relevance of a graph's nodes, and the edges between question and answer, tell by themselves.

A graph network has to learn how to carry a score from the answer's nodes to where an answer is chosen. These numbers
reach the head without it, which is meant for sets of few questions. That nodes have a relevance to the text
is QA-GNN's (Yasunaga et al., NAACL 2021); that the head reads it is ours.
"""

import torch
from torch import nn

from dragon_core.modeling.graph_layers import CountedBatchNorm1d

QUESTION, ANSWER, OTHER = 0, 1, 2
NUM_FEATURES = 6


class RelevanceReadout(nn.Module):
    """Numbers of each graph, normalised over the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = CountedBatchNorm1d(NUM_FEATURES)

    def forward(
        self, graph: torch.Tensor, types: torch.Tensor, scores: torch.Tensor | None, edges: torch.Tensor, size: int
    ) -> torch.Tensor:
        """Read a batch of graphs.

        Args:
            graph: [N] the graph of each node, sorted; those of graphs beyond `size` are not read.
            types: [N] of the nodes.
            scores: [N] their relevance, or None.
            edges: [2, E] source and target; with each edge its inverse.
            size: B, how many graphs there are.

        Returns:
            [B, 6]: the mean relevance of the nodes of question, answer and neither, and its largest value in the
            answer; the logarithms of 1 + the answer's nodes, and of 1 + the edges from question to answer.
        """
        graph = graph[graph < size]
        types, edges = types[: len(graph)], edges[:, edges[0] < len(graph)]
        scores = None if scores is None else scores[: len(graph)]
        values = graph.new_zeros(len(graph), dtype=self.norm.weight.dtype) if scores is None else scores
        means = [_mean(values, graph, types == kind, size) for kind in (QUESTION, ANSWER, OTHER)]
        answers = types == ANSWER
        largest = values.new_zeros(size).scatter_reduce(0, graph[answers], values[answers], "amax")
        direct = (types[edges[0]] == QUESTION) & answers[edges[1]]
        counts = [torch.bincount(graph[answers], minlength=size)]
        counts.append(torch.bincount(graph[edges[0][direct]], minlength=size))
        logarithms = [count.to(values.dtype).log1p() for count in counts]
        normalized: torch.Tensor = self.norm(torch.stack([*means, largest, *logarithms], dim=1))
        return normalized


def _mean(values: torch.Tensor, graph: torch.Tensor, chosen: torch.Tensor, size: int) -> torch.Tensor:
    """[size] means of the chosen values of each graph, 0 where none is."""
    sums = values.new_zeros(size).index_add(0, graph[chosen], values[chosen])
    return sums / torch.bincount(graph[chosen], minlength=size).clamp(min=1)
