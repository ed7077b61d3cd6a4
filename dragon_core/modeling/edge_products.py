"""Products over the edges of a batch, without a vector an edge.

An edge connects a row of one table with a row of another: source and target, node and kind of edge, triple and
corrupted node. Attention needs two products over edges: the dot product of both rows (a number an edge), and the sum of
one side's rows, weighted by such numbers, at the other side. Each is the other's derivative. The sums run group by
group over sorted edges, in time linear in the edges, in a fixed order, and keep nothing but the tables for the backward
pass. On a GPU all edges are gathered and added up at once, in any order, with a vector an edge as long as that takes.
"""

from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

# Numbers that a CPU gathers at once: few enough for its cache, and for memory to be used again.
CHUNK = 2**18


class Groups:
    """Which row of a table each edge touches, and the edges sorted by it.

    Attributes:
        index: [E] rows, in 0..size-1.
        size: Rows of the table.
        order: [E] the edges, sorted by their row.
        starts: [size] where each row's edges begin in `order`.
    """

    def __init__(self, index: torch.Tensor, size: int) -> None:
        self.index = index
        self.size = size
        self.order = index.argsort(stable=True)
        self.counts = torch.bincount(index, minlength=size)
        self.starts = self.counts.cumsum(0) - self.counts

    def for_heads(self, num_heads: int) -> "Groups":
        """The same edges once a head, for a table [heads x size]; entries are ordered (head, edge)."""
        head = torch.arange(num_heads, device=self.index.device)[:, None]
        groups = object.__new__(Groups)
        groups.size = num_heads * self.size
        groups.index = (self.index + head * self.size).flatten()
        groups.order = (self.order + head * len(self.order)).flatten()
        groups.starts = (self.starts + head * len(self.order)).flatten()
        groups.counts = self.counts.repeat(num_heads)
        return groups


def by_head(rows: torch.Tensor, num_heads: int) -> torch.Tensor:
    """[R, d] as a table [heads x R, d / heads]."""
    return rows.unflatten(1, (num_heads, -1)).transpose(0, 1).flatten(0, 1)


def from_heads(table: torch.Tensor, num_heads: int) -> torch.Tensor:
    """The inverse of `by_head`."""
    return table.unflatten(0, (num_heads, -1)).transpose(0, 1).flatten(1)


def dot(a: torch.Tensor, b: torch.Tensor, rows_of_a: Groups, rows_of_b: Groups) -> torch.Tensor:
    """Dot products [E], float32, of the rows of `a` [., d] and `b` [., d] that each edge connects."""
    result: torch.Tensor = _Dot.apply(a.float(), b.float(), rows_of_a, rows_of_b)  # type: ignore[no-untyped-call]
    return result


def weighted_sum(weights: torch.Tensor, rows: torch.Tensor, taken: Groups, summed: Groups) -> torch.Tensor:
    """Sums of rows at the other end of the edges.

    Args:
        weights: [E].
        rows: [taken.size, d].
        taken: The row that each edge takes.
        summed: The row of the result that it is added to.

    Returns:
        [summed.size, d] in the dtype of `rows`.
    """
    result: torch.Tensor = _WeightedSum.apply(weights.float(), rows.float(), taken, summed)  # type: ignore[no-untyped-call]
    return result.to(rows.dtype)


def gather(rows: torch.Tensor, taken: Groups) -> torch.Tensor:
    """The rows [E, d] that the edges take; unlike by indexing, gradients are summed fast, on a CPU in a fixed order."""
    result: torch.Tensor = _Gather.apply(rows, taken)  # type: ignore[no-untyped-call]
    return result


def softmax(scores: torch.Tensor, groups: Groups) -> torch.Tensor:
    """Softmax [E], float32, of the scores [E] among the edges of the same row."""
    scores = scores.float()
    lowest = scores.new_full((groups.size,), -torch.inf)
    largest = lowest.scatter_reduce(0, groups.index, scores.detach(), "amax")
    exponents = (scores - largest.index_select(0, groups.index)).exp()
    total = scores.new_zeros(groups.size).index_add(0, groups.index, exponents)
    return exponents / total.index_select(0, groups.index)


def _sum(weights: torch.Tensor, rows: torch.Tensor, taken: Groups, summed: Groups) -> torch.Tensor:
    if rows.is_cuda:
        return _added(rows.index_select(0, taken.index).mul_(weights[:, None]), summed)
    entries = taken.index.index_select(0, summed.order)
    sorted_weights = weights.index_select(0, summed.order)
    if not len(entries):
        return rows.new_zeros(summed.size, rows.shape[1])
    return F.embedding_bag(entries, rows, summed.starts, mode="sum", per_sample_weights=sorted_weights)


def _added(terms: torch.Tensor, summed: Groups) -> torch.Tensor:
    """Sums [summed.size, d] of [E, d] on a GPU, in any order.

    There `embedding_bag` sums a row's terms one after another, and all others wait for the kind that most edges are of.
    """
    return terms.new_zeros(summed.size, terms.shape[1]).index_add_(0, summed.index, terms)


def _dot(a: torch.Tensor, b: torch.Tensor, rows_of_a: Groups, rows_of_b: Groups) -> torch.Tensor:
    edges = max(len(rows_of_a.index) if a.is_cuda else CHUNK // a.shape[1], 1)
    pairs = zip(rows_of_a.index.split(edges), rows_of_b.index.split(edges), strict=True)
    return torch.cat([a.index_select(0, i).mul_(b.index_select(0, j)).sum(-1) for i, j in pairs])


class _Dot(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: torch.Tensor, b: torch.Tensor, rows_of_a: Groups, rows_of_b: Groups) -> torch.Tensor:
        ctx.save_for_backward(a, b)
        ctx.groups = rows_of_a, rows_of_b
        return _dot(a, b, rows_of_a, rows_of_b)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        a, b = ctx.saved_tensors
        rows_of_a, rows_of_b = ctx.groups
        return _sum(gradient, b, rows_of_b, rows_of_a), _sum(gradient, a, rows_of_a, rows_of_b), None, None


class _WeightedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: torch.Tensor, rows: torch.Tensor, taken: Groups, summed: Groups) -> torch.Tensor:
        ctx.save_for_backward(weights, rows)
        ctx.groups = taken, summed
        return _sum(weights, rows, taken, summed)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        weights, rows = ctx.saved_tensors
        taken, summed = ctx.groups
        gradient = gradient.contiguous()
        return _dot(rows, gradient, taken, summed), _sum(weights, gradient, summed, taken), None, None


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, taken: Groups) -> torch.Tensor:
        ctx.taken = taken
        return rows.index_select(0, taken.index)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, None]:
        taken: Groups = ctx.taken
        if gradient.is_cuda:
            return _added(gradient.float(), taken).to(gradient.dtype), None
        if not len(taken.order):
            return gradient.new_zeros(taken.size, gradient.shape[1]), None
        summed = F.embedding_bag(taken.order, gradient.float().contiguous(), taken.starts, mode="sum")
        return summed.to(gradient.dtype), None
