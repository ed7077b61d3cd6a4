from itertools import pairwise
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dragon_core.modeling import DragonConfig, DragonForPreTraining
from dragon_core.training.optimization import learning_rate_schedule, parameter_groups, split_parameters


@pytest.mark.parametrize(
    ("has_new_lm_head", "graph_is_pretrained", "pretrained"),
    [
        (False, False, ("dragon.backbone", "lm_head")),
        (True, False, ("dragon.backbone",)),
        (False, True, ("dragon", "lm_head")),
    ],
)
def test_each_trainable_parameter_is_in_one_group_with_its_rate_and_decay(
    has_new_lm_head: bool, graph_is_pretrained: bool, pretrained: tuple[str, ...]
) -> None:
    backbone = {
        "model_type": "bert",
        "vocab_size": 20,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    sizes = {"num_fusion_layers": 1, "num_entities": 5, "entity_size": 8, "node_size": 8, "num_edge_types": 6}
    model = DragonForPreTraining(DragonConfig(backbone, entities="random", **sizes))
    model.has_new_lm_head = has_new_lm_head
    groups = parameter_groups(
        *split_parameters(model, graph_is_pretrained), encoder_rate=0.1, new_rate=0.2, weight_decay=0.3
    )
    found = {id(parameter): group for group in groups for parameter in group["params"]}
    assert len(found) == sum(len(group["params"]) for group in groups)
    assert set(found) == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    undecayed = [*(m for m in model.modules() if isinstance(m, nn.LayerNorm | nn.BatchNorm1d))]
    norms = {id(parameter) for module in undecayed for parameter in module.parameters()}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            group = found[id(parameter)]
            assert group["weight_decay"] == (0.0 if name.endswith("bias") or id(parameter) in norms else 0.3), name
            expected = (0.1, "encoder") if name.startswith(pretrained) else (0.2, "new")
            assert (group["lr"], group["name"]) == expected, name
    assert id(model.dragon.entities.weight) not in found


Fall = Literal["linear", "cosine", "constant"]


def rates_of(steps: int, warmup: int, fall: Fall, frozen: int = 0) -> tuple[list[float], list[float]]:
    """Rates of the encoder and of the new parameters, whose full values are 2 and 1."""
    encoder, new = nn.Parameter(torch.zeros(1, 1)), nn.Parameter(torch.zeros(1, 1))
    optimizer = torch.optim.SGD(parameter_groups([("e", encoder)], [("n", new)], 2.0, 1.0, 0.0))
    schedule = learning_rate_schedule(optimizer, steps, warmup, fall, frozen)
    rates = []
    for _ in range(steps):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    return [rate for rate, _ in rates], [rate for _, rate in rates]


@given(st.integers(1, 60), st.data())
def test_rates_rise_to_their_value_and_fall_towards_zero(steps: int, data: st.DataObject) -> None:
    warmup = data.draw(st.integers(0, steps))
    encoder, new = rates_of(steps, warmup, "linear")
    assert encoder == [2 * rate for rate in new]
    assert all(0 < rate <= 1 for rate in new)
    assert new[:warmup] == pytest.approx([(i + 1) / warmup for i in range(warmup)])
    assert new[warmup:] == pytest.approx([(steps - i) / (steps - warmup) for i in range(warmup, steps)])
    cosine, constant = (rates_of(steps, warmup, fall)[1] for fall in ("cosine", "constant"))
    assert cosine[:warmup] == constant[:warmup] == new[:warmup]
    assert constant[warmup:] == [1.0] * (steps - warmup)
    middle = warmup + (steps - warmup) // 2
    if steps > warmup and (steps - warmup) % 2 == 0:
        assert cosine[middle] == pytest.approx(0.5)
    assert all(a >= b for a, b in pairwise(cosine[warmup:]))


def test_the_encoder_stays_as_it_is_for_some_steps_then_warms_up_by_itself() -> None:
    encoder, new = rates_of(20, 4, "constant", frozen=6)
    assert encoder == [0.0] * 6 + [0.5, 1.0, 1.5] + [2.0] * 11
    assert new == [0.25, 0.5, 0.75] + [1.0] * 17
