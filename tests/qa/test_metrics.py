import numpy as np
import pytest

from dragon_core.qa.metrics import accuracy_with_interval, bootstrap_interval, difference_with_interval


def test_the_interval_is_that_of_resampling_question_by_question() -> None:
    values = np.random.default_rng(0).normal(size=60)
    random = np.random.default_rng(1)
    means = [random.choice(values, len(values)).mean() for _ in range(20_000)]
    expected = np.quantile(means, [0.025, 0.975])
    assert bootstrap_interval(values, 20_000, 2) == pytest.approx(expected, abs=0.01)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    covered = 0
    for trial in range(400):
        accuracy = accuracy_with_interval(random.random(200) < 0.6, 1000, trial)
        covered += accuracy["low"] <= 0.6 <= accuracy["high"]
    assert 0.91 <= covered / 400 <= 0.98


def test_a_paired_difference_is_surer_than_two_accuracies() -> None:
    random = np.random.default_rng(4)
    first = random.random(500) < 0.5
    second = first.copy()
    second[np.flatnonzero(first)[:25]] = False
    result = difference_with_interval(first, second, 2000, 0)
    assert result["difference"] == pytest.approx(0.05)
    assert 0.02 < result["low"] < 0.05 < result["high"] < 0.08
    assert difference_with_interval(first, first, 100, 0) == {"difference": 0, "low": 0, "high": 0}
