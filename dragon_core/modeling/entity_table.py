"""The table of entity vectors, which nodes are looked up in."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from dragon_core.modeling.configuration_dragon import DragonConfig


def open_entities(path: Path) -> torch.Tensor:
    """The table [num_entities, entity_size], float32, memory-mapped: only the rows that are looked up are read."""
    # Copy-on-write, since PyTorch has no read-only tensors; nothing writes to it.
    return torch.from_numpy(np.load(path, mmap_mode="c"))


class EntityTable(nn.Module):
    """Looks nodes up.

    A frozen table is neither a parameter nor a buffer: it stays on disk, goes to no device and into no checkpoint, and
    is shared by all models that were given its file.

    Attributes:
        weight: [num_entities, entity_size] of a trainable table, or of a random one; a frozen one has none.
    """

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        self._shape = (config.num_entities, config.entity_size)
        self._frozen: torch.Tensor | None = None
        self.weight: torch.Tensor | None
        if config.entities == "trainable":
            self.weight = nn.Parameter(torch.empty(self._shape))
        else:
            self.register_buffer("weight", torch.empty(self._shape) if config.entities == "random" else None)

    def load(self, path: Path) -> None:
        """Use the vectors of a file: a frozen table reads from it ever after, another copies it.

        Raises:
            ValueError: The file's table has another shape than the configuration says.
        """
        table = open_entities(path)
        if tuple(table.shape) != self._shape:
            raise ValueError(f"The entity table {path} is {tuple(table.shape)}; the model was made for {self._shape}")
        if self.weight is None:
            self._frozen = table
        else:
            with torch.no_grad():
                self.weight.copy_(table)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Vectors [N, entity_size], float32, of the rows [N], on the device of `rows`.

        Raises:
            ValueError: The table is a frozen one whose file was not given yet.
        """
        if self.weight is not None:
            return self.weight[rows]
        if self._frozen is None:
            raise ValueError("The model has no entity vectors yet: call load_entities() with the table's file")
        return self._frozen[rows.cpu()].to(rows.device)
