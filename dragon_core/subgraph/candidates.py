"""What a batch of texts names in the graph, and which other nodes may join it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True)
class NamedNodes:
    """The nodes that each of S texts names, with repetitions.

    Attributes:
        offsets: [S + 1] the entries of text `i` are `offsets[i]:offsets[i + 1]`.
        nodes: [L] node ids.
        scores: [L] in (0, 1].
    """

    offsets: Int64s
    nodes: Int32s
    scores: Float32s

    @classmethod
    def of(cls, nodes: Iterable[Sequence[int]], scores: Iterable[Sequence[float]] | None = None) -> Self:
        """From a list of nodes a text, and one of scores; 1 where none are given."""
        rows = list(nodes)
        flat = [node for row in rows for node in row]
        given = np.ones(len(flat)) if scores is None else [score for row in scores for score in row]
        offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return cls(offsets, np.array(flat, np.int32), np.asarray(given, np.float32))

    def __len__(self) -> int:
        return len(self.offsets) - 1


@dataclass(frozen=True)
class Candidates:
    """The linked nodes of S texts, each once, and the nodes that may join them.

    Attributes:
        linked_offsets: [S + 1] linked nodes of each text.
        linked: [L] their ids.
        offsets: [S + 1] candidates of each text.
        nodes: [C] their ids; in a text sorted by (degree, id).
        touched: [C] how many linked nodes of the text each has an edge with.
    """

    linked_offsets: Int64s
    linked: Int32s
    offsets: Int64s
    nodes: Int32s
    touched: Int32s
