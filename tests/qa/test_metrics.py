"""Statistics against scipy, naive loops, and what is known to be true."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from dragon_core.qa.metrics import (
    Hits,
    bootstrap_p_value,
    compare,
    interval,
    mcnemar,
    mean_lead,
    resampled_accuracies,
)


def hits(rates: list[float], questions: int, seed: int) -> Hits:
    """Runs that answer each question correctly with a probability."""
    return np.random.default_rng(seed).random((len(rates), questions)) < np.array(rates)[:, None]


def test_the_interval_of_one_run_is_that_of_scipy() -> None:
    runs = hits([0.7], 80, 0)
    low, high = interval(resampled_accuracies({"a": runs}, 20_000, np.random.default_rng(1))["a"])
    expected = bootstrap(
        (runs[0].astype(float),), np.mean, n_resamples=20_000, method="percentile", random_state=2
    ).confidence_interval
    assert (low, high) == pytest.approx(tuple(expected), abs=0.01)


def test_the_interval_of_a_difference_is_that_of_scipy_for_pairs() -> None:
    one, other = hits([0.7], 80, 0), hits([0.5], 80, 1)
    found = compare({"one": one, "other": other}, "one", 20_000, 1)["leads"]["other"]
    expected = bootstrap(
        (one[0].astype(float), other[0].astype(float)),
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        n_resamples=20_000,
        method="percentile",
        paired=True,
        random_state=2,
    ).confidence_interval
    assert (found["low"], found["high"]) == pytest.approx(tuple(expected), abs=0.013)


def test_questions_and_runs_are_resampled_one_by_one() -> None:
    arms = {"one": hits([0.9, 0.6, 0.7], 40, 0), "other": hits([0.5, 0.55], 40, 1)}
    random = np.random.default_rng(2)
    naive = []
    for _ in range(10_000):
        questions = random.integers(0, 40, 40)
        means = {
            name: runs[random.integers(0, len(runs), len(runs))][:, questions].mean() for name, runs in arms.items()
        }
        naive.append((means["one"], means["one"] - means["other"]))
    found = resampled_accuracies(arms, 10_000, np.random.default_rng(3))
    assert interval(found["one"]) == pytest.approx(np.quantile([a for a, _ in naive], [0.025, 0.975]), abs=0.015)
    expected = np.quantile([d for _, d in naive], [0.025, 0.975])
    assert interval(found["one"] - found["other"]) == pytest.approx(expected, abs=0.015)
    assert found["one"].std() == pytest.approx(np.std([a for a, _ in naive]), rel=0.05)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    covered = 0
    for trial in range(400):
        found = compare({"a": hits([0.6], 200, trial)}, "a", 1000, trial)["arms"]["a"]
        covered += found["low"] <= 0.6 <= found["high"]
    assert 0.91 <= covered / 400 <= 0.98


def test_seeds_that_differ_make_the_interval_wider() -> None:
    alike, unlike = hits([0.6, 0.6, 0.6], 1000, 0), hits([0.4, 0.6, 0.8], 1000, 0)
    found = compare({"alike": alike, "unlike": unlike}, "alike", 2000, 0)["arms"]
    width = {arm: of_arm["high"] - of_arm["low"] for arm, of_arm in found.items()}
    assert width["unlike"] > 3 * width["alike"]
    assert found["unlike"]["runs"] == unlike.mean(axis=1).tolist()
    assert found["unlike"]["deviation"] == pytest.approx(np.std(unlike.mean(axis=1), ddof=1))
    assert compare({"a": alike[:1]}, "a", 100, 0)["arms"]["a"]["deviation"] is None


def test_a_paired_difference_is_surer_than_two_accuracies() -> None:
    first = hits([0.5], 500, 4)
    second = first.copy()
    second[0, np.flatnonzero(first)[:25]] = False
    found = compare({"first": first, "second": second}, "first", 2000, 0)
    lead = found["leads"]["second"]
    assert lead["difference"] == pytest.approx(0.05)
    assert 0.02 < lead["low"] < 0.05 < lead["high"] < 0.08
    assert found["arms"]["first"]["high"] - found["arms"]["first"]["low"] > lead["high"] - lead["low"]
    same = compare({"first": first, "again": first}, "first", 100, 0)["leads"]["again"]
    assert same == {"difference": 0, "low": 0, "high": 0, "test": "McNemar", "p_value": 1}


def test_the_same_seed_gives_the_same_numbers() -> None:
    arms = {"one": hits([0.6, 0.7], 50, 0), "other": hits([0.5], 50, 1)}
    assert compare(arms, "one", 1200, 5) == compare(arms, "one", 1200, 5)
    assert compare(arms, "one", 1200, 5) != compare(arms, "one", 1200, 6)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 5))
def test_mcnemar_is_the_two_sided_sign_test_of_what_only_one_answers(first: int, second: int, both: int) -> None:
    one = np.array([True] * (first + both) + [False] * second, dtype=bool)
    other = np.array([False] * first + [True] * (both + second), dtype=bool)
    total = first + second
    tail = sum(comb(total, k) for k in range(min(first, second) + 1)) / 2**total
    assert mcnemar(one, other) == pytest.approx(min(1, 2 * tail))


def test_a_test_that_finds_nothing_where_nothing_is_errs_as_seldom_as_it_says() -> None:
    found = [
        compare({"a": hits([0.6] * 3, 150, trial), "b": hits([0.6] * 3, 150, 1000 + trial)}, "a", 500, trial)
        for trial in range(200)
    ]
    values = [comparison["leads"]["b"]["p_value"] for comparison in found]
    assert {comparison["leads"]["b"]["test"] for comparison in found} == {"bootstrap"}
    assert np.mean(np.array(values) < 0.05) <= 0.07


@given(st.integers(0, 10_000))
def test_a_difference_is_significant_if_the_interval_leaves_0_out(seed: int) -> None:
    resampled = np.random.default_rng(seed).normal(2, 1, 999)
    low, high = interval(resampled)
    p_value = bootstrap_p_value(resampled)
    if abs(p_value - 0.05) > 0.01:
        assert (p_value < 0.05) == (low > 0 or high < 0)
    assert 0 < bootstrap_p_value(resampled + 100) == 2 / 1000


def test_the_mean_of_data_sets_is_surer_than_each_and_weighs_them_alike() -> None:
    sets = [(hits([0.65, 0.7], size, size), hits([0.55], size, size + 1)) for size in (100, 400, 101, 102)]
    found = mean_lead(sets, 4000, 0)
    leads = [compare({"a": a, "b": b}, "a", 4000, 0)["leads"]["b"] for a, b in sets]
    assert found["difference"] == pytest.approx(np.mean([lead["difference"] for lead in leads]))
    width = np.sqrt(np.sum([(lead["high"] - lead["low"]) ** 2 for lead in leads])) / len(sets)
    assert found["high"] - found["low"] == pytest.approx(width, rel=0.1)
    assert found["p_value"] < 0.05
    assert mean_lead(sets[:1], 4000, 0)["low"] == pytest.approx(leads[0]["low"], abs=0.02)
