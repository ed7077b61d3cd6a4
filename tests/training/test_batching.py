from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.training.batching import (
    BatchLimits,
    BatchPlan,
    Cursor,
    Int64s,
    Sizes,
    evaluation_batches,
    split_evaluation,
)

counts = st.integers(1, 300)
limits = st.builds(
    BatchLimits,
    examples=st.integers(1, 20),
    tokens=st.none() | st.integers(1, 500),
    edges=st.none() | st.integers(1, 300),
)


def sizes_of(examples: Int64s) -> Sizes:
    return Sizes((examples * 7919) % 101 + 2, (examples * 104729) % 53)


def plan_of(count: int, limits: BatchLimits, seed: int = 0) -> BatchPlan:
    return BatchPlan(np.arange(count) * 3, sizes_of, limits, seed)


@given(counts, limits, st.integers(0, 1000), st.integers(0, 5))
def test_an_epoch_has_every_example_once_and_no_batch_is_too_large(
    count: int, limits: BatchLimits, seed: int, epoch: int
) -> None:
    batches = list(plan_of(count, limits, seed).epoch(epoch))
    assert {batch.epoch for batch in batches} == {epoch}
    assert sorted(np.concatenate([batch.examples for batch in batches]).tolist()) == [3 * i for i in range(count)]
    for batch in batches:
        sizes = sizes_of(batch.examples)
        padded = -(-sizes.tokens.max() // 8) * 8 * len(batch.examples)
        assert len(batch.examples) <= limits.examples
        if len(batch.examples) > 1:
            assert padded <= (limits.tokens or np.inf)
            assert sizes.edges.sum() <= (limits.edges or np.inf)


@given(counts, limits, st.integers(0, 1000), st.integers(0, 100))
def test_a_run_that_is_continued_anywhere_sees_the_same(count: int, limits: BatchLimits, seed: int, done: int) -> None:
    whole = list(islice(plan_of(count, limits, seed).after(Cursor()), done + 10))
    cursor = whole[done - 1].after if done else Cursor()
    continued = list(islice(plan_of(count, limits, seed).after(cursor), 10))
    for expected, batch in zip(whole[done:], continued, strict=True):
        assert (batch.epoch, batch.after) == (expected.epoch, expected.after)
        assert batch.examples.tolist() == expected.examples.tolist()


@given(counts, limits, st.integers(1, 4))
def test_processes_share_every_batch_evenly(count: int, limits: BatchLimits, processes: int) -> None:
    for batch in plan_of(count, limits).epoch(0):
        shares = [batch.share(rank, processes).examples for rank in range(processes)]
        assert sorted(np.concatenate(shares).tolist()) == sorted(batch.examples.tolist())
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_epochs_and_seeds_differ() -> None:
    orders = [
        [batch.examples.tolist() for batch in plan_of(200, BatchLimits(10), seed).epoch(epoch)]
        for seed, epoch in ((0, 0), (0, 1), (1, 0))
    ]
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_a_batch_holds_texts_of_like_length_in_no_order() -> None:
    lengths = np.random.default_rng(0).integers(10, 1000, 4000)
    plan = BatchPlan(np.arange(4000), lambda e: Sizes(lengths[e], lengths[e]), BatchLimits(16), 0)
    batches = [lengths[batch.examples] for batch in plan.epoch(0)]
    assert sum(len(batch) * batch.max() for batch in batches) < 1.05 * lengths.sum()
    means = np.array([batch.mean() for batch in batches])
    assert abs(np.corrcoef(means[1:], means[:-1])[0, 1]) < 0.2


def test_a_window_mixes_examples_of_all_the_data() -> None:
    plan = BatchPlan(np.arange(100_000), sizes_of, BatchLimits(4), 0)
    first_window = np.concatenate([batch.examples for batch in islice(plan.after(Cursor()), 50)])
    assert np.histogram(first_window, bins=4, range=(0, 100_000))[0] == pytest.approx([50] * 4, abs=22)


@given(st.integers(2, 500), st.floats(0.001, 0.999), st.integers(0, 1000))
def test_evaluation_examples_are_apart_from_the_others(count: int, share: float, seed: int) -> None:
    trained, held_out = (part[np.arange(len(part))].tolist() for part in split_evaluation(count, share, seed))
    assert sorted([*trained, *held_out]) == list(range(count))
    assert len(trained) >= 1
    assert len(held_out) >= 1
    assert abs(len(held_out) - share * count) <= 1


@given(counts, limits)
def test_evaluation_batches_hold_each_example_once_longest_last(count: int, limits: BatchLimits) -> None:
    examples = np.arange(count) * 2
    batches = [batch.examples for batch in evaluation_batches(examples, sizes_of, limits)]
    assert sorted(np.concatenate(batches).tolist()) == examples.tolist()
    lengths = sizes_of(np.concatenate(batches)).tokens
    assert all(a <= b for a, b in pairwise(lengths.tolist()))
