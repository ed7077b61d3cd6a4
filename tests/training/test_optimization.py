import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dragon_core.modeling import DragonConfig, DragonForPreTraining
from dragon_core.training.optimization import linear_warmup_and_decay, parameter_groups
from dragon_core.training.trainer import split_parameters


def test_each_trainable_parameter_is_in_one_group_with_its_rate_and_decay() -> None:
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
    groups = parameter_groups(*split_parameters(model), encoder_rate=0.1, new_rate=0.2, weight_decay=0.3)
    found = {id(parameter): group for group in groups for parameter in group["params"]}
    assert len(found) == sum(len(group["params"]) for group in groups)
    assert set(found) == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    undecayed = [*(m for m in model.modules() if isinstance(m, nn.LayerNorm | nn.BatchNorm1d))]
    norms = {id(parameter) for module in undecayed for parameter in module.parameters()}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            group = found[id(parameter)]
            assert group["weight_decay"] == (0.0 if name.endswith("bias") or id(parameter) in norms else 0.3), name
            is_encoder = name.startswith(("dragon.backbone", "lm_head"))
            assert (group["lr"], group["name"]) == ((0.1, "encoder") if is_encoder else (0.2, "new")), name
    assert id(model.dragon.entities.weight) not in found


@given(st.integers(1, 60), st.data())
def test_rates_rise_to_their_value_and_fall_towards_zero(steps: int, data: st.DataObject) -> None:
    warmup = data.draw(st.integers(0, steps))
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=2.0)
    schedule = linear_warmup_and_decay(optimizer, warmup, steps)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert all(0 < rate <= 2 for rate in rates)
    assert rates[:warmup] == pytest.approx([2 * (i + 1) / warmup for i in range(warmup)])
    assert rates[warmup:] == pytest.approx([2 * (steps - i) / (steps - warmup) for i in range(warmup, steps)])
