from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.linking.concept.conditional_random_field import ConditionalRandomField, expectations

LABELS = 3
Floats = npt.NDArray[np.float64]


def numbers(seed: int, lengths: list[int]) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    offsets = np.cumsum([0, *lengths])
    return random.normal(size=(offsets[-1], LABELS)), random.normal(size=(LABELS, LABELS)), offsets


def score(path: tuple[int, ...], emissions: Floats, transitions: Floats) -> float:
    inside = sum(emissions[position, label] for position, label in enumerate(path))
    return float(inside + sum(transitions[a, b] for a, b in pairwise(path)))


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 4), max_size=4))
def test_best_labels_equal_a_search_of_all_paths(seed: int, lengths: list[int]) -> None:
    emissions, transitions, offsets = numbers(seed, lengths)
    found = ConditionalRandomField(np.zeros((1, LABELS)), transitions).best_labels(emissions, offsets)
    for start, end in pairwise(offsets):
        part = emissions[start:end]
        paths = product(range(LABELS), repeat=end - start)
        best = max(paths, key=lambda path: score(path, part, transitions))
        assert tuple(found[start:end]) == best


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_likelihood_and_its_gradient_equal_sums_over_all_paths(seed: int, lengths: list[int]) -> None:
    emissions, transitions, offsets = numbers(seed, lengths)
    total, marginals, pairs = expectations(emissions, transitions, offsets)
    expected = 0.0
    of_labels, of_pairs = np.zeros_like(emissions), np.zeros_like(transitions)
    for start, end in pairwise(offsets):
        paths = list(product(range(LABELS), repeat=end - start))
        powers = np.exp([score(path, emissions[start:end], transitions) for path in paths])
        expected += np.log(powers.sum())
        for path, share in zip(paths, powers / powers.sum(), strict=True):
            of_labels[np.arange(start, end), path] += share
            np.add.at(of_pairs, (path[:-1], path[1:]), share)
    np.testing.assert_allclose(total, expected)
    np.testing.assert_allclose(marginals, of_labels)
    np.testing.assert_allclose(pairs, of_pairs, atol=1e-12)


def test_training_learns_what_a_feature_and_a_neighbour_say() -> None:
    # Feature 7 begins a mention; the token after it belongs to it whatever its feature.
    features = np.array([[1], [7], [2], [1], [2], [7], [1], [1]])
    labels = np.array([0, 1, 2, 0, 0, 1, 2, 0])
    offsets = np.array([0, 4, 8])
    model = ConditionalRandomField.trained(features, labels, offsets, 10, LABELS, 0.01, 50)
    assert model.weights.shape == (10, LABELS)
    assert not model.weights[[0, 3, 9]].any()
    unseen = np.array([[2], [7], [1], [2]])
    assert model.best_labels(model.emissions(unseen), np.array([0, 4])).tolist() == [0, 1, 2, 0]


def test_no_texts() -> None:
    model = ConditionalRandomField(np.zeros((4, LABELS), np.float32), np.zeros((LABELS, LABELS), np.float32))
    emissions = model.emissions(np.zeros((0, 2), np.int32))
    assert model.best_labels(emissions, np.array([0, 0])).tolist() == []
