"""Optimizer and learning-rate schedule: what was pretrained and what is new learn at different rates."""

import math
from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import nn

from dragon_core.modeling.modeling_dragon import DragonPreTrainedModel
from dragon_core.training.errors import TrainingError

Parameter = tuple[str, nn.Parameter]


def split_parameters(
    model: DragonPreTrainedModel, graph_is_pretrained: bool = False
) -> tuple[list[Parameter], list[Parameter]]:
    """Named parameters that were pretrained, and those that begin at random.

    Args:
        model: Its language model was pretrained, with the head it had.
        graph_is_pretrained: Whether its graph network was, with the language model.
    """
    network = "dragon." if graph_is_pretrained else "dragon.backbone."
    pretrained = (network,) if model.has_new_lm_head else (network, "lm_head.")
    named = list(model.named_parameters())
    return (
        [(name, parameter) for name, parameter in named if name.startswith(pretrained)],
        [(name, parameter) for name, parameter in named if not name.startswith(pretrained)],
    )


def freeze_encoder(model: DragonPreTrainedModel) -> None:
    """Compute no gradients of what was pretrained.

    Raises:
        TrainingError: The model has nothing else that could be trained.
    """
    encoder, new = split_parameters(model)
    if not any(parameter.requires_grad for _, parameter in new):
        raise TrainingError(
            "With encoder_learning_rate 0 nothing would be trained: the model is a language model alone, with the"
            " masked-LM head that it came with. Set a rate above 0."
        )
    for _, parameter in encoder:
        parameter.requires_grad_(False)


def parameter_groups(
    encoder: Iterable[Parameter], new: Iterable[Parameter], encoder_rate: float, new_rate: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Groups for an optimizer.

    Biases and the gains of norms, which are what has fewer than two dimensions, are not decayed. Frozen parameters are
    left out.

    Args:
        encoder: Named parameters that were pretrained.
        new: Named parameters that begin at random.
        encoder_rate: Learning rate of the former.
        new_rate: Learning rate of the latter.
        weight_decay: Of the weights that are decayed.

    Returns:
        Up to four groups with `params`, `lr`, `weight_decay`, and `name` ("encoder" or "new").
    """
    groups = []
    for name, parameters, rate in (("encoder", encoder, encoder_rate), ("new", new, new_rate)):
        trainable = [parameter for _, parameter in parameters if parameter.requires_grad]
        for decayed in (True, False):
            chosen = [parameter for parameter in trainable if (parameter.ndim > 1) is decayed]
            if chosen:
                decay = weight_decay if decayed else 0.0
                groups.append({"name": name, "params": chosen, "lr": rate, "weight_decay": decay})
    return groups


def learning_rate_schedule(
    optimizer: torch.optim.Optimizer,
    steps: int,
    warmup_steps: int,
    fall: Literal["linear", "cosine", "constant"] = "linear",
    encoder_frozen_steps: int = 0,
) -> torch.optim.lr_scheduler.LambdaLR:
    """Rates that rise linearly in the first `warmup_steps`, then fall towards 0 after `steps`.

    To be stepped after the optimizer. No step has rate 0, so none is wasted; except that the encoder's rate is 0 for
    its frozen steps, after which it has its own warm-up. Its gradients' moments are known by then.

    Args:
        optimizer: One with groups by `parameter_groups`.
        steps: Of the whole run.
        warmup_steps: Of a group's warm-up.
        fall: The form of the fall; "constant": none.
        encoder_frozen_steps: Steps in which the encoder stays as it is.
    """

    def rise(done: int) -> float:
        return min((done + 1) / max(warmup_steps, 1), 1.0) if done >= 0 else 0.0

    def fallen(done: int) -> float:
        part = min(max(done - warmup_steps, 0) / max(steps - warmup_steps, 1), 1.0)
        match fall:
            case "linear":
                return 1 - part
            case "cosine":
                return 0.5 * (1 + math.cos(math.pi * part))
            case "constant":
                return 1.0

    factors = {
        "encoder": lambda done: rise(done - encoder_frozen_steps) * fallen(done),
        "new": lambda done: rise(done) * fallen(done),
    }
    return torch.optim.lr_scheduler.LambdaLR(optimizer, [factors[group["name"]] for group in optimizer.param_groups])
