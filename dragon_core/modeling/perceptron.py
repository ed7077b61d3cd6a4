"""The multi-layer perceptron of the exchange and of the question-answering head."""

import itertools

import torch
from torch import nn

from dragon_core.modeling.graph_layers import gelu


class Perceptron(nn.Module):
    """`depth` times [Linear, Dropout, LayerNorm if asked, GELU], and a last Linear."""

    def __init__(
        self, input_size: int, hidden_size: int, output_size: int, depth: int, dropout: float, layer_norm: bool = False
    ) -> None:
        super().__init__()
        sizes = [input_size] + [hidden_size] * depth + [output_size]
        self.linears = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.norms = nn.ModuleList(nn.LayerNorm(hidden_size) if layer_norm else nn.Identity() for _ in range(depth))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[..., input_size] to [..., output_size]."""
        for linear, norm in zip(self.linears, self.norms, strict=False):
            x = gelu(norm(self.dropout(linear(x))))
        result: torch.Tensor = self.linears[-1](x)
        return result
