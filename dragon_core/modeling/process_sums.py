"""Sums over the processes that train one model together, with gradients; of one process a sum is what it has."""

from typing import Any

import torch
from torch import distributed


def num_processes() -> int:
    """How many processes train together."""
    together = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if together else 1


def summed(tensor: torch.Tensor) -> torch.Tensor:
    """The sum over all processes, which must all call this; so is the gradient."""
    if num_processes() == 1:
        return tensor
    total: torch.Tensor = _Sum.apply(tensor)  # type: ignore[no-untyped-call]
    return total


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, tensor: torch.Tensor) -> torch.Tensor:
        total = tensor.detach().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total
