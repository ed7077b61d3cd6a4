import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.training.random_numbers import Purpose, example_keys, shuffled, uniform

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(0, 100), st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.data())
def test_what_an_example_draws_does_not_depend_on_its_companions(
    seed: int, epoch: int, examples: list[int], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(examples) - 1))
    together = uniform(example_keys(seed, epoch, np.array(examples))[:, None], Purpose.NEGATIVES, np.arange(5))
    alone = uniform(example_keys(seed, epoch, np.array([examples[place]])), Purpose.NEGATIVES, np.arange(5))
    np.testing.assert_array_equal(together[place], alone)


def test_numbers_are_uniform_and_independent_across_every_argument() -> None:
    draws = {
        "counters": uniform(example_keys(1, 0, np.array([5])), Purpose.NEGATIVES, np.arange(20_000)),
        "examples": uniform(example_keys(1, 0, np.arange(20_000)), Purpose.NEGATIVES),
        "purpose": uniform(example_keys(1, 0, np.arange(20_000)), Purpose.LINK_TARGETS),
        "epoch": uniform(example_keys(1, 1, np.arange(20_000)), Purpose.NEGATIVES),
        "seed": uniform(example_keys(2, 0, np.arange(20_000)), Purpose.NEGATIVES),
    }
    for numbers in draws.values():
        counts = np.histogram(numbers, bins=20, range=(0, 1))[0]
        assert counts.sum() == 20_000
        # 19 degrees of freedom: beyond 60 once in 10^5 tries.
        assert ((counts - 1000) ** 2 / 1000).sum() < 60
    correlations = np.corrcoef(list(draws.values()))
    assert np.abs(correlations - np.eye(len(draws))).max() < 0.04
    assert abs(np.corrcoef(draws["counters"][1:], draws["counters"][:-1])[0, 1]) < 0.04


@given(seeds, st.integers(0, 10), st.integers(0, 200))
def test_a_shuffled_order_has_every_number_once(seed: int, epoch: int, length: int) -> None:
    order = shuffled(seed, epoch, Purpose.SHUFFLE, length, np.arange(length))
    assert sorted(order.tolist()) == list(range(length))


@given(seeds, st.integers(1, 10**12), st.data())
def test_any_positions_of_a_long_order_are_known_without_the_others(
    seed: int, length: int, data: st.DataObject
) -> None:
    positions = data.draw(st.lists(st.integers(0, length - 1), min_size=1, max_size=20, unique=True))
    numbers = shuffled(seed, 0, Purpose.SHUFFLE, length, np.array(positions))
    assert len(set(numbers.tolist())) == len(positions)
    assert 0 <= numbers.min() <= numbers.max() < length
    one = shuffled(seed, 0, Purpose.SHUFFLE, length, np.array(positions[-1:]))
    assert one.tolist() == numbers[-1:].tolist()


def test_all_orders_of_few_numbers_come_equally_often() -> None:
    orders = [tuple(shuffled(seed, 0, Purpose.SHUFFLE, 3, np.arange(3)).tolist()) for seed in range(6000)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    # 5 degrees of freedom: beyond 30 once in 10^5 tries.
    assert ((counts - 1000) ** 2 / 1000).sum() < 30
