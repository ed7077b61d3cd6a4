import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.modeling.outputs import DragonForPreTrainingOutput
from dragon_core.training.metrics import PretrainingMetrics

Batch = dict[str, torch.Tensor]


def seen(
    labels: list[int], mlm: list[list[float]], positive: list[float], candidates: list[list[tuple[int, float]]]
) -> tuple[Batch, DragonForPreTrainingOutput]:
    """A batch of targets 0 -> 1, each with (node, score) of its candidates: heads, then tails."""
    count, width = len(positive), len(candidates[0]) if candidates else 0
    nodes = torch.tensor([[node for node, _ in row] for row in candidates], dtype=torch.long)
    scores = torch.tensor([[score for _, score in row] for row in candidates])
    batch = {
        "labels": torch.tensor([labels]),
        "link_head": torch.zeros(count, dtype=torch.long),
        "link_tail": torch.ones(count, dtype=torch.long),
        "link_candidates": nodes.reshape(count, width),
    }
    output = DragonForPreTrainingOutput(
        mlm_loss=torch.tensor(float(len(mlm))),
        link_loss=torch.tensor(float(count)),
        mlm_logits=torch.tensor(mlm).reshape(len(mlm), 3),
        positive_scores=torch.tensor(positive),
        candidate_scores=scores.reshape(count, width),
    )
    return batch, output


def test_means_are_weighted_by_tokens_and_by_links() -> None:
    metrics = PretrainingMetrics()
    # The head is second of three; the tail, which has one candidate only, is first.
    metrics.add(*seen([-100, 0, 2], [[1.0, 0, 0], [0, 1.0, 0]], [2.0], [[(5, 3.0), (6, 1.0), (7, 1.0), (1, 9.0)]]))
    metrics.add(*seen([-100, -100], [], [], []))
    # The first has ties: 1 above and 1 equal of the heads, 0 above and 2 equal of the tails.
    rows = [[(5, 1.0), (6, 0.0), (7, 0.0), (8, 0.0)], [(5, -1.0), (6, -1.0), (7, -1.0), (8, -1.0)]]
    metrics.add(*seen([2, -100], [[0, 0, 1.0]], [0.0, 0.0], rows))
    result = metrics.result()
    assert result["mlm_accuracy"] == pytest.approx(2 / 3)
    assert result["mlm_loss"] == pytest.approx((2 * 2 + 1 * 1) / 3)
    assert result["link_loss"] == pytest.approx((1 * 1 + 2 * 2) / 3)
    assert result["loss"] == pytest.approx(result["mlm_loss"] + result["link_loss"])
    assert result["link_mrr"] == pytest.approx((1 / 2 + 1 + 1 / 2.5 + 1 / 2 + 1 + 1) / 6)
    assert result["link_hits_at_1"] == pytest.approx(3 / 6)
    assert result["link_hits_at_3"] == result["link_hits_at_10"] == 1
    assert result["link_accuracy"] == pytest.approx((1 / 2 + 1 + 1 / 4 + 1 / 2 + 1 + 1) / 6)


@given(st.lists(st.lists(st.integers(-3, 3), min_size=6, max_size=6), min_size=1, max_size=4), st.integers(-3, 3))
def test_ranks_are_those_of_a_sorted_list(scores: list[list[int]], own: int) -> None:
    metrics = PretrainingMetrics()
    rows = [[(5 + i, float(score)) for i, score in enumerate(row)] for row in scores]
    metrics.add(*seen([-100], [], [float(own)] * len(rows), rows))
    ranks = []
    for row in scores:
        for side in (row[:3], row[3:]):
            places = [i for i, score in enumerate(sorted([*side, own], reverse=True)) if score == own]
            ranks.append(1 + np.mean(places))
    result = metrics.result()
    assert result["link_mrr"] == pytest.approx(np.mean([1 / rank for rank in ranks]))
    assert result["link_hits_at_3"] == pytest.approx(np.mean([rank <= 3 for rank in ranks]))


def test_sums_of_two_processes_can_be_added() -> None:
    batches = [seen([1], [[0, 1.0, 0]], [1.0], [[(5, 0.0), (6, 2.0)]]), seen([1], [[1.0, 0, 0]], [], [])]
    together, parts = PretrainingMetrics(), [PretrainingMetrics(), PretrainingMetrics()]
    for batch, part in zip(batches, parts, strict=True):
        together.add(*batch)
        part.add(*batch)
    parts[0].sums += parts[1].sums
    assert parts[0].result() == together.result()


def test_without_links_there_are_no_link_metrics() -> None:
    metrics = PretrainingMetrics()
    metrics.add(*seen([1], [[1.0, 0, 0]], [], []))
    result = metrics.result()
    assert set(result) == {"mlm_loss", "mlm_accuracy", "loss"}
    assert math.isfinite(result["loss"])
