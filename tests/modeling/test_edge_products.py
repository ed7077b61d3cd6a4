"""The products over edges against the same written with a vector an edge, and their gradients against differences."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.devices import best_device
from dragon_core.modeling import edge_products
from dragon_core.modeling.edge_products import Groups, by_head, dot, from_heads, gather, softmax, weighted_sum


@st.composite
def edges(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor, int, int]:
    """Edges between two tables: source, target, and the tables' sizes; parallel edges and untouched rows occur."""
    sources, targets = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    count = draw(st.integers(0, 20))
    source = draw(st.lists(st.integers(0, sources - 1), min_size=count, max_size=count))
    target = draw(st.lists(st.integers(0, targets - 1), min_size=count, max_size=count))
    return torch.tensor(source, dtype=torch.long), torch.tensor(target, dtype=torch.long), sources, targets


@given(edges(), st.integers(1, 3), st.integers(1, 40))
def test_products_and_their_gradients(
    drawn: tuple[torch.Tensor, torch.Tensor, int, int], heads: int, chunk: int
) -> None:
    device = best_device()
    source, target, num_sources, num_targets = drawn[0].to(device), drawn[1].to(device), *drawn[2:]
    torch.manual_seed(len(source))
    a = torch.randn(num_sources, heads * 3, device=device, requires_grad=True)
    b = torch.randn(num_targets, heads * 3, device=device, requires_grad=True)
    of_a, of_b = Groups(source, num_sources).for_heads(heads), Groups(target, num_targets).for_heads(heads)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edge_products, "CHUNK", chunk)
        scores = dot(by_head(a, heads), by_head(b, heads), of_a, of_b)
        alpha = softmax(scores, of_a)
        summed = from_heads(weighted_sum(alpha, by_head(b, heads), of_b, of_a), heads)
        gathered = gather(b, Groups(target, num_targets))
        ours = [scores.view(heads, -1), alpha.view(heads, -1), summed, gathered]
        gradients = torch.autograd.grad(sum(x.square().sum() for x in ours), (a, b))

    rows_a, rows_b = (x.unflatten(1, (heads, 3)) for x in (a[source], b[target]))
    naive_scores = (rows_a * rows_b).sum(-1).T
    naive_alpha, naive_sum = torch.zeros_like(naive_scores), torch.zeros(num_sources, heads, 3, device=device)
    for node in range(num_sources):
        chosen = source == node
        naive_alpha[:, chosen] = naive_scores[:, chosen].softmax(dim=1)
        naive_sum[node] = (naive_alpha[:, chosen].T[..., None] * rows_b[chosen]).sum(0)
    naive = [naive_scores, naive_alpha, naive_sum.flatten(1), b[target]]
    for mine, expected in zip(ours, naive, strict=True):
        torch.testing.assert_close(mine, expected)
    expected_gradients = torch.autograd.grad(sum(x.square().sum() for x in naive), (a, b))
    for mine, expected in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-4)


def test_sixteen_bit_rows_stay_sixteen_bit_and_scores_do_not() -> None:
    index, rows = torch.tensor([0, 1, 1]), torch.ones(2, 4, dtype=torch.bfloat16, requires_grad=True)
    groups = Groups(index, 2)
    scores = dot(rows, rows, groups, groups)
    summed = weighted_sum(softmax(scores, groups), rows, groups, groups)
    assert (scores.dtype, summed.dtype) == (torch.float32, torch.bfloat16)
    summed.sum().backward()
    assert rows.grad is not None
    assert rows.grad.dtype == torch.bfloat16
