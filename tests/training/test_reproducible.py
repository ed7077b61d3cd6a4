from collections.abc import Iterator

import pytest
import torch

from dragon_core.modeling import DragonModel
from dragon_core.training.reproducible import make_reproducible
from tests.devices import on_a_cpu
from tests.modeling.test_models import random_batch, small_config


@pytest.fixture(autouse=True)
def several_threads() -> Iterator[None]:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before[0])
    torch.use_deterministic_algorithms(before[1])


def gradients() -> list[torch.Tensor]:
    make_reproducible(3)
    model = DragonModel(small_config(entities="trainable"))
    output = model(**random_batch([400] * 40))
    (output.node_hidden_state.sum() + output.pooler_output.sum()).backward()
    return [p.grad for p in model.parameters() if p.grad is not None]


@on_a_cpu
def test_gradients_are_the_same_bit_for_bit_with_several_threads() -> None:
    first = gradients()
    for _ in range(4):
        assert all(map(torch.equal, first, gradients()))
