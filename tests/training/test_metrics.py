import math

import pytest
import torch

from dragon_core.modeling.outputs import DragonForPreTrainingOutput
from dragon_core.training.metrics import PretrainingMetrics


def output(mlm: list[list[float]], positive: list[float], negative: list[list[float]]) -> DragonForPreTrainingOutput:
    return DragonForPreTrainingOutput(
        mlm_loss=torch.tensor(float(len(mlm))),
        link_loss=torch.tensor(float(len(positive))),
        mlm_logits=torch.tensor(mlm).reshape(len(mlm), 3),
        positive_scores=torch.tensor(positive),
        negative_scores=torch.tensor(negative).reshape(len(positive), 4),
    )


def test_means_are_weighted_by_tokens_and_by_links() -> None:
    metrics = PretrainingMetrics()
    metrics.add(output([[1.0, 0, 0], [0, 1.0, 0]], [2.0], [[1.0, 3.0, 0.0, 1.0]]), torch.tensor([[-100, 0], [2, -100]]))
    metrics.add(output([], [], []), torch.tensor([[-100, -100]]))
    metrics.add(
        output([[0, 0, 1.0]], [0.0, 0.0], [[1.0, 1.0, 2.0, -1.0], [0.0, 0.0, 0.0, 0.0]]), torch.tensor([[2, -100]])
    )
    result = metrics.result()
    assert (metrics.tokens, metrics.links) == (3, 3)
    assert result["mlm_accuracy"] == pytest.approx(2 / 3)
    assert result["mlm_loss"] == pytest.approx((2 * 2 + 1 * 1) / 3)
    assert result["link_loss"] == pytest.approx((1 * 1 + 2 * 2) / 3)
    assert result["loss"] == pytest.approx(result["mlm_loss"] + result["link_loss"])
    # Ranks by side: 2 and 1; 3 and 2; 2 and 2 (ties count half).
    assert result["link_mrr"] == pytest.approx((1 / 2 + 1 + 1 / 3 + 1 / 2 + 1 / 2 + 1 / 2) / 6)
    assert result["link_hits_at_1"] == pytest.approx(1 / 6)
    assert result["link_accuracy"] == pytest.approx((1 / 2 + 1 + 0 + 1 / 2 + 1 / 2 + 1 / 2) / 6)


def test_without_links_there_are_no_link_metrics() -> None:
    metrics = PretrainingMetrics()
    metrics.add(output([[1.0, 0, 0]], [], []), torch.tensor([[1]]))
    result = metrics.result()
    assert set(result) == {"mlm_loss", "mlm_accuracy", "loss"}
    assert math.isfinite(result["loss"])
