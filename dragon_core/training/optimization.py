"""Optimizer and learning-rate schedule: the language model and the new parameters learn at different rates."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

Parameter = tuple[str, nn.Parameter]


def parameter_groups(
    encoder: Iterable[Parameter], new: Iterable[Parameter], encoder_rate: float, new_rate: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Groups for an optimizer.

    Biases and the gains of norms, which are what has fewer than two dimensions, are not decayed. Frozen parameters are
    left out.

    Args:
        encoder: Named parameters of the pretrained language model.
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


def linear_warmup_and_decay(
    optimizer: torch.optim.Optimizer, warmup_steps: int, steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Rates that rise linearly to their full value at step `warmup_steps`, then fall linearly towards 0 after `steps`.

    To be stepped after the optimizer. No step has rate 0, so none is wasted.
    """

    def factor(done: int) -> float:
        if done < warmup_steps:
            return (done + 1) / warmup_steps
        return max(steps - done, 0) / max(steps - warmup_steps, 1)

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
