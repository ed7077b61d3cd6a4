"""Which examples make a batch, as a pure function of the seed and of where in the data a run is.

The examples are shuffled, across shards and within them, and cut into windows of some batches. A window is sorted by
length, so that a batch holds texts of like length (little padding), cut into batches, and these are shuffled. A run
that is continued is given its `Cursor` and sees what it would have seen; only the window in hand is in memory. A batch
is the same however many processes share it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dragon_core.training.random_numbers import Purpose, example_keys, random_bits, shuffled

Int64s = npt.NDArray[np.int64]

BATCHES_PER_WINDOW = 50
# Texts are padded to a multiple of this.
PADDING_MULTIPLE = 8


class Examples(Protocol):
    """Global indices of examples, looked up by position; an array is one."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, positions: Int64s) -> Int64s:
        """[n] the examples at positions [n]."""


@dataclass(frozen=True)
class ShuffledPart:
    """A part of all examples, in a random order that is computed and not held in memory.

    Attributes:
        start: Where in the order the part begins.
        stop: Where it ends.
        total: How many examples there are in all.
        seed: Decides the order.
    """

    start: int
    stop: int
    total: int
    seed: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, positions: Int64s) -> Int64s:
        return shuffled(self.seed, 0, Purpose.EVALUATION_SPLIT, self.total, positions + self.start)


def split_evaluation(total: int, share: float, seed: int, most: int | None = None) -> tuple[ShuffledPart, ShuffledPart]:
    """Divide examples for training and evaluation.

    Args:
        total: How many there are.
        share: Share to evaluate on; at least one example, and at least one is left to train on.
        seed: Not negative.
        most: Most examples to evaluate on.

    Returns:
        Those to train on, and those to evaluate on.
    """
    count = min(max(round(share * total), 1), total - 1, total if most is None else most)
    return ShuffledPart(count, total, total, seed), ShuffledPart(0, count, total, seed)


@dataclass(frozen=True)
class Sizes:
    """How large examples are: `tokens` [n] of their texts, and `edges` [n] of their graphs."""

    tokens: Int64s
    edges: Int64s


@dataclass(frozen=True)
class BatchLimits:
    """What a batch may hold; an example that is too large by itself makes a batch of its own.

    Attributes:
        examples: Most examples.
        tokens: Most tokens, padding included.
        edges: Most edges.
    """

    examples: int
    tokens: int | None = None
    edges: int | None = None

    def cuts(self, sizes: Sizes) -> list[int]:
        """Where to cut examples, sorted by their tokens, into batches: the first position of each, and their number."""
        starts, first, edges = [0], 0, 0
        for place, (width, more) in enumerate(zip(sizes.tokens.tolist(), sizes.edges.tolist(), strict=True)):
            edges += more
            count = place - first + 1
            padded = -(-width // PADDING_MULTIPLE) * PADDING_MULTIPLE * count
            if count > 1 and (
                count > self.examples
                or (self.tokens is not None and padded > self.tokens)
                or (self.edges is not None and edges > self.edges)
            ):
                starts.append(place)
                first, edges = place, more
        return [*starts, len(sizes.tokens)]


@dataclass(frozen=True)
class Cursor:
    """How far a run is in the data.

    Attributes:
        epoch: Passes over the data that are done.
        window: Windows of this pass that are done.
        batch: Batches of this window that are done.
    """

    epoch: int = 0
    window: int = 0
    batch: int = 0


@dataclass(frozen=True)
class Batch:
    """A batch to be read.

    Attributes:
        epoch: Passes over the data before it.
        examples: [B] global indices.
        after: Where the run is when the batch is done.
    """

    epoch: int
    examples: Int64s
    after: Cursor = Cursor()

    def share(self, rank: int, num_processes: int) -> "Batch":
        """What one of several processes reads of it; it may be nothing."""
        return replace(self, examples=self.examples[rank::num_processes])


class BatchPlan:
    """The batches of all epochs; each example is in exactly one batch of an epoch."""

    def __init__(self, examples: Examples, sizes: Callable[[Int64s], Sizes], limits: BatchLimits, seed: int) -> None:
        """Plan.

        Args:
            examples: n > 0 global indices to train on.
            sizes: Gives the sizes of some examples.
            limits: What a batch may hold.
            seed: Not negative.
        """
        self._examples = examples
        self._sizes = sizes
        self._limits = limits
        self._seed = seed
        self._window_size = limits.examples * BATCHES_PER_WINDOW
        self._windows = -(-len(examples) // self._window_size)
        self._window = lru_cache(maxsize=1)(self._plan_window)

    def after(self, cursor: Cursor) -> Iterator[Batch]:
        """All batches that come next; there is no end to them."""
        while True:
            batches = self._window(cursor.epoch, cursor.window)
            for number in range(cursor.batch, len(batches)):
                window_is_done = number + 1 == len(batches)
                after = self._next_window(cursor) if window_is_done else replace(cursor, batch=number + 1)
                yield Batch(cursor.epoch, batches[number], after)
            cursor = self._next_window(cursor)

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch."""
        for batch in self.after(Cursor(number)):
            yield batch
            if batch.after.epoch > number:
                return

    def _next_window(self, cursor: Cursor) -> Cursor:
        last = cursor.window + 1 == self._windows
        return Cursor(cursor.epoch + 1) if last else Cursor(cursor.epoch, cursor.window + 1)

    def _plan_window(self, epoch: int, window: int) -> list[Int64s]:
        first = window * self._window_size
        places = np.arange(first, min(first + self._window_size, len(self._examples)))
        examples = self._examples[shuffled(self._seed, epoch, Purpose.SHUFFLE, len(self._examples), places)]
        sizes = self._sizes(examples)
        order = np.argsort(sizes.tokens, kind="stable")
        cuts = self._limits.cuts(Sizes(sizes.tokens[order], sizes.edges[order]))
        batches = [examples[order[start:stop]] for start, stop in pairwise(cuts)]
        keys = random_bits(
            example_keys(self._seed, epoch, np.array([window])), Purpose.BATCH_ORDER, np.arange(len(batches))
        )
        return [batches[place] for place in np.argsort(keys, kind="stable").tolist()]


def evaluation_batches(examples: Examples, sizes: Callable[[Int64s], Sizes], limits: BatchLimits) -> Sequence[Batch]:
    """Batches over all examples, each once, longest last; all of epoch 0, so that every evaluation asks the same."""
    everyone = examples[np.arange(len(examples))]
    found = sizes(everyone)
    order = np.lexsort((everyone, found.tokens))
    cuts = limits.cuts(Sizes(found.tokens[order], found.edges[order]))
    return [Batch(0, everyone[order[start:stop]]) for start, stop in pairwise(cuts)]
