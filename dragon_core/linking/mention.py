"""What a linker finds, and what a linker is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dragon_core.linking.schema import MENTION

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Float32s = npt.NDArray[np.float32]


class Mention(NamedTuple):
    """A span of a text that names a node.

    Attributes:
        start: First character.
        end: Character after the last.
        node: The node's id in the graph.
        score: How sure the link is, in (0, 1].
    """

    start: int
    end: int
    node: int
    score: float


@dataclass(frozen=True)
class Mentions(Sequence[list[Mention]]):
    """The mentions of a batch of texts, as columns (T texts, M mentions); as a sequence, the mentions of each text.

    Those of a text are sorted by (start, end), of one span the best candidate first.

    Attributes:
        offsets: [T + 1] the mentions of text `i` are `offsets[i]:offsets[i + 1]`.
        starts: [M] first character of the span in its text.
        ends: [M] character after the last.
        nodes: [M] node ids.
        scores: [M] in (0, 1].
    """

    offsets: Int64s
    starts: Int32s
    ends: Int32s
    nodes: Int32s
    scores: Float32s

    @classmethod
    def of(cls, mentions: Iterable[Iterable[Mention]]) -> Self:
        """From the mentions of each text, in any order."""
        by_text = [sorted(found, key=lambda m: (m.start, m.end, -m.score, m.node)) for found in mentions]
        flat = [mention for found in by_text for mention in found]
        starts, ends, nodes, scores = zip(*flat, strict=True) if flat else ((), (), (), ())
        return cls(
            offsets=np.cumsum([0, *map(len, by_text)], dtype=np.int64),
            starts=np.array(starts, np.int32),
            ends=np.array(ends, np.int32),
            nodes=np.array(nodes, np.int32),
            scores=np.array(scores, np.float32),
        )

    @classmethod
    def from_arrow(cls, mentions: pa.ListArray) -> Self:
        """From the column `mentions` of a shard."""
        values = mentions.flatten()
        lengths = mentions.value_lengths().to_numpy()
        columns = (values.field(name).to_numpy() for name in MENTION.names)
        return cls(np.cumsum([0, *lengths], dtype=np.int64), *columns)

    @classmethod
    def concatenate(cls, batches: Sequence[Self]) -> Self:
        """One batch of several, in their order."""
        if not batches:
            return cls.of([])
        sizes = np.cumsum([0, *(len(batch.starts) for batch in batches)])
        offsets = [batch.offsets[1:] + size for batch, size in zip(batches, sizes[:-1], strict=True)]
        starts, ends, nodes, scores = (
            np.concatenate([getattr(batch, column) for batch in batches])
            for column in ("starts", "ends", "nodes", "scores")
        )
        return cls(np.concatenate([np.zeros(1, np.int64), *offsets]), starts, ends, nodes, scores)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, text: int) -> list[Mention]: ...
    @overload
    def __getitem__(self, text: slice) -> list[list[Mention]]: ...
    def __getitem__(self, text: int | slice) -> list[Mention] | list[list[Mention]]:
        if isinstance(text, slice):
            return [self[position] for position in range(*text.indices(len(self)))]
        if not -len(self) <= text < len(self):
            raise IndexError(f"There are {len(self)} texts, and no text {text}")
        position = text % len(self)
        row = slice(self.offsets[position], self.offsets[position + 1])
        # float32 values such as 0.9 are shown, and compared, as they were given.
        scores = (round(score, 6) for score in self.scores[row].tolist())
        columns = (self.starts[row].tolist(), self.ends[row].tolist(), self.nodes[row].tolist(), scores)
        return [Mention(*values) for values in zip(*columns, strict=True)]

    def __iter__(self) -> Iterator[list[Mention]]:
        return (self[text] for text in range(len(self)))

    def to_arrow(self) -> pa.ListArray:
        """The column `mentions` of a shard, without copies."""
        columns = [self.starts, self.ends, self.nodes, self.scores]
        values = pa.StructArray.from_arrays([pa.array(column) for column in columns], fields=list(MENTION))
        return pa.ListArray.from_arrays(pa.array(self.offsets, pa.int32()), values)


class EntityLinker(Protocol):
    """Finds the nodes that texts name: a pure function of the text and the linker's artifact."""

    def link(self, texts: Sequence[str]) -> Mentions:
        """Mentions of each text."""
