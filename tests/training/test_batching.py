import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.training.batching import BatchPlan, split_evaluation
from dragon_core.training.collator import evaluation_batches

sizes = st.integers(1, 300)


def plan_of(count: int, batch_size: int, seed: int) -> BatchPlan:
    examples = np.arange(count) * 3
    return BatchPlan(examples, (examples * 7919) % 101, batch_size, seed)


@given(sizes, st.integers(1, 40), st.integers(0, 1000), st.integers(0, 5))
def test_an_epoch_has_every_example_once(count: int, batch_size: int, seed: int, epoch: int) -> None:
    plan = plan_of(count, batch_size, seed)
    numbers = range(epoch * plan.batches_per_epoch, (epoch + 1) * plan.batches_per_epoch)
    batches = [plan.batch(number) for number in numbers]
    assert {batch.epoch for batch in batches} == {epoch}
    assert sorted(np.concatenate([batch.examples for batch in batches]).tolist()) == [3 * i for i in range(count)]
    assert sorted(len(batch.examples) for batch in batches)[1:] == [batch_size] * (len(batches) - 1)


@given(sizes, st.integers(1, 40), st.integers(0, 1000), st.lists(st.integers(0, 100), max_size=10))
def test_a_batch_is_the_same_whatever_was_asked_before(
    count: int, batch_size: int, seed: int, numbers: list[int]
) -> None:
    used = plan_of(count, batch_size, seed)
    for number in numbers:
        fresh = plan_of(count, batch_size, seed)
        assert used.batch(number).examples.tolist() == fresh.batch(number).examples.tolist()


def test_epochs_and_seeds_differ() -> None:
    plan = plan_of(200, 10, 0)
    orders = [
        [plan_of(200, 10, seed).batch(start + i).examples.tolist() for i in range(20)]
        for seed, start in ((0, 0), (0, plan.batches_per_epoch), (1, 0))
    ]
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_a_batch_holds_texts_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(10, 1000, 4000)
    plan = BatchPlan(np.arange(4000), lengths, 16, 0)
    batches = [lengths[plan.batch(number).examples] for number in range(plan.batches_per_epoch)]
    padded = sum(len(batch) * batch.max() for batch in batches)
    assert padded < 1.05 * lengths.sum()
    # The lengths come in no order.
    means = np.array([batch.mean() for batch in batches])
    assert abs(np.corrcoef(means[1:], means[:-1])[0, 1]) < 0.2


@given(st.integers(2, 500), st.floats(0.001, 0.999), st.integers(0, 1000))
def test_evaluation_examples_are_apart_from_the_others(count: int, share: float, seed: int) -> None:
    trained, held_out = split_evaluation(count, share, seed)
    assert sorted([*trained.tolist(), *held_out.tolist()]) == list(range(count))
    assert len(trained) >= 1
    assert len(held_out) >= 1
    assert abs(len(held_out) - share * count) <= 1


@given(sizes, st.integers(1, 40))
def test_evaluation_batches_hold_each_example_once(count: int, batch_size: int) -> None:
    examples = np.arange(count) * 2
    batches = list(evaluation_batches(examples, examples % 17, batch_size))
    assert sorted(np.concatenate([batch.examples for batch in batches]).tolist()) == examples.tolist()
    assert all(len(batch.examples) == batch_size for batch in batches[:-1])
