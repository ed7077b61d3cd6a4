"""What the relevance of a graph's nodes, and the ways between question and answer, tell by themselves.

A graph network has to learn how to carry a score from the answer's nodes to where an answer is chosen. These numbers
reach the head without it, which is meant for sets of few questions. That nodes have a relevance to the text
is QA-GNN's (Yasunaga et al., NAACL 2021); that the head reads it is ours. That what two nodes have in common tells less
the more neighbours it has is Adamic and Adar's (Friends and neighbors on the Web, Social Networks 25, 2003).
"""

import torch
from torch import nn

from dragon_core.modeling.graph_layers import CountedBatchNorm1d

QUESTION, ANSWER, OTHER = 0, 1, 2
NUM_FEATURES = 10
# A weight moves by the learning rate a step: of what is larger, the weights need not grow as far, and it is learnt
# within the steps that few questions give.
SCALE = 5.0
# In deviations. What never changed in training, such as the answer's nodes where all are one, would drown all else
# where it does.
LIMIT = 10.0


class RelevanceReadout(nn.Module):
    """The numbers of each graph, with a standard deviation of `SCALE` in the batch as it begins."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = CountedBatchNorm1d(NUM_FEATURES)

    def forward(
        self, graph: torch.Tensor, types: torch.Tensor, scores: torch.Tensor | None, edges: torch.Tensor, size: int
    ) -> torch.Tensor:
        """[B, 10] what `graph_numbers` gives of a batch, normalised, bounded and scaled; without scores they are 0."""
        if scores is None:
            scores = torch.zeros(len(types), dtype=self.norm.weight.dtype, device=types.device)
        normalized: torch.Tensor = self.norm(graph_numbers(graph, types, scores, edges, size))
        return SCALE * normalized.clamp(-LIMIT, LIMIT)


def graph_numbers(
    graph: torch.Tensor, types: torch.Tensor, scores: torch.Tensor, edges: torch.Tensor, size: int
) -> torch.Tensor:
    """Numbers of each graph of a batch.

    The weight of a node with d edges of the KG is 1 / ln(2 + d). A node joins question and answer if it is neither,
    and an edge leads from it to each.

    Args:
        graph: [N] the graph of each node, sorted; those of graphs beyond `size` are not read.
        types: [N] of the nodes.
        scores: [N] their relevance.
        edges: [2, E] source and target; with each edge its inverse.
        size: B, how many graphs there are.

    Returns:
        [B, 10]: the mean relevance of the nodes of question, answer and neither, and its largest value in the
        answer; the logarithms of 1 + the answer's nodes, and of 1 + the edges from question to answer; of the
        question's nodes with such an edge the relevance, summed, and the share in the weight of all; of the nodes
        that join the two the weight, summed, and the mean relevance.
    """
    graph = graph[graph < size]
    types, scores, edges = types[: len(graph)], scores[: len(graph)], edges[:, edges[0] < len(graph)]
    source, target = edges[:, (types[edges] <= OTHER).all(dim=0)]

    def total(numbers: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        return scores.new_zeros(size).index_add(0, graph[chosen], numbers[chosen])

    def count(chosen: torch.Tensor) -> torch.Tensor:
        return torch.bincount(graph[chosen], minlength=size)

    def mean(chosen: torch.Tensor) -> torch.Tensor:
        return total(scores, chosen) / count(chosen).clamp(min=1)

    def beside(kind: int) -> torch.Tensor:
        """[n] whether an edge leads from a node to one of a kind."""
        return torch.zeros_like(is_answer).index_fill(0, source[types[target] == kind], True)

    is_question, is_answer, is_other = (types == kind for kind in (QUESTION, ANSWER, OTHER))
    largest = scores.new_zeros(size).scatter_reduce(0, graph[is_answer], scores[is_answer], "amax")
    direct = source[is_question[source] & is_answer[target]]
    weight = 1 / (2 + torch.bincount(source, minlength=len(graph))).to(scores.dtype).log()
    linked, joining = is_question & beside(ANSWER), is_other & beside(QUESTION) & beside(ANSWER)
    share = total(weight, linked) / total(weight, is_question).where(count(is_question) > 0, 1)
    numbers = [
        *map(mean, (is_question, is_answer, is_other)),
        largest,
        *(counted.to(scores.dtype).log1p() for counted in (count(is_answer), count(direct))),
        total(scores, linked),
        share,
        total(weight, joining),
        mean(joining),
    ]
    return torch.stack(numbers, dim=1)
