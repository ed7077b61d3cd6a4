import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dragon_core.modeling.graph_layers import CountedBatchNorm1d


@given(st.lists(st.integers(1, 5), min_size=2, max_size=6), st.integers(0, 1000))
def test_counted_rows_are_normalised_as_if_they_were_repeated(counts: list[int], seed: int) -> None:
    rows = torch.randn(len(counts), 4, generator=torch.Generator().manual_seed(seed))
    ours, plain = CountedBatchNorm1d(4), nn.BatchNorm1d(4)
    repeats = torch.tensor(counts)
    wanted = plain(rows.repeat_interleave(repeats, dim=0))
    torch.testing.assert_close(ours(rows, repeats).repeat_interleave(repeats, dim=0), wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.running_mean, plain.running_mean)
    torch.testing.assert_close(ours.running_var, plain.running_var)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_statistics_are_exact_in_half_precision(precision: torch.dtype) -> None:
    rows = torch.randn(30, 8, generator=torch.Generator().manual_seed(0)) + 1
    # Their sum is beyond float16, and bfloat16 cannot tell 5,000 from 5,001.
    counts = torch.arange(30) * 7 + 5000
    whole, half = CountedBatchNorm1d(8), CountedBatchNorm1d(8)
    wanted = whole(rows, counts)
    with torch.autocast("cpu", dtype=precision):
        torch.testing.assert_close(half(rows, counts), wanted)
    torch.testing.assert_close(half.running_var, whole.running_var)
