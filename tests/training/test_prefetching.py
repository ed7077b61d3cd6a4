import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.training.prefetching import prefetched


@given(st.lists(st.integers(), max_size=20), st.integers(0, 4))
def test_results_come_in_order(requests: list[int], ahead: int) -> None:
    assert list(prefetched(lambda number: number * 2, requests, ahead)) == [number * 2 for number in requests]


@pytest.mark.parametrize("ahead", [1, 3])
def test_results_are_prepared_before_they_are_asked_for(ahead: int) -> None:
    prepared = [threading.Event() for _ in range(10)]

    def prepare(number: int) -> int:
        prepared[number].set()
        return number

    results = prefetched(prepare, itertools.count(), ahead)
    assert next(results) == 0
    assert prepared[ahead].wait(timeout=10)
    assert not prepared[ahead + 1].is_set()
    results.close()


@pytest.mark.parametrize("ahead", [0, 2])
def test_a_failure_comes_where_its_result_would_have(ahead: int) -> None:
    def prepare(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    results = prefetched(prepare, range(10), ahead)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_closing_ends_the_thread() -> None:
    results = prefetched(lambda number: number, itertools.count(), 2)
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]
