"""What answers questions by a rule or a linear model."""

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.answer_signal import accuracy, fitted, numbers_of
from dragon_core.qa.dataset import PreparedQuestions


def questions(answers: list[int], **numbers: list[float]) -> PreparedQuestions:
    """Questions with two choices each."""
    offsets = np.arange(0, 2 * len(answers) + 1, 2)
    return PreparedQuestions([str(n) for n in range(len(answers))], np.array(answers), offsets, pa.table(numbers))


def test_a_tie_counts_by_its_chance() -> None:
    asked = questions([0, 1, 1], rule=[2.0, 1.0, 5.0, 5.0, 9.0, 8.0])
    assert accuracy(numbers_of(asked, ["rule"])[:, 0], asked) == pytest.approx((1 + 0.5 + 0) / 3)


def test_the_linear_model_finds_what_tells_the_right_choice() -> None:
    generator = np.random.default_rng(0)
    answers = generator.integers(2, size=200)
    right = np.zeros((200, 2))
    right[np.arange(200), answers] = 1
    telling = (generator.normal(size=(200, 2)) - right).ravel().tolist()
    asked = questions(answers.tolist(), telling=telling, noise=generator.normal(size=400).tolist())
    weights = fitted(asked, ["telling", "noise"])
    assert weights[0] < -0.5
    assert abs(weights[1]) < 0.3
    assert accuracy(numbers_of(asked, ["telling", "noise"]) @ weights, asked) > 0.7
