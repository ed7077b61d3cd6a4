"""Which examples make a batch, as a pure function of (seed, epoch, batches done).

The examples are shuffled, cut into windows of some batches, sorted by length within a window so that a batch holds
texts of like length (little padding), and the batches are shuffled. Nothing is remembered, so a run that is continued
sees what it would have seen.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dragon_core.training.random_numbers import Purpose, permutation

Int64s = npt.NDArray[np.int64]

BATCHES_PER_WINDOW = 50


@dataclass(frozen=True)
class Batch:
    """A batch to be read.

    Attributes:
        epoch: Passes over the data before it.
        examples: [B] global indices.
    """

    epoch: int
    examples: Int64s


class BatchPlan:
    """The batches of all epochs; each example is in exactly one batch of an epoch, and the last one may be smaller.

    Attributes:
        batches_per_epoch: The same in every epoch.
    """

    def __init__(self, examples: Int64s, lengths: Int64s, batch_size: int, seed: int) -> None:
        """Plan.

        Args:
            examples: [n] global indices to train on; n > 0.
            lengths: [n] what to sort by, such as bytes of text.
            batch_size: Examples a batch.
            seed: Not negative.
        """
        self.batches_per_epoch = -(-len(examples) // batch_size)
        self._examples = examples
        self._lengths = lengths
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = lru_cache(maxsize=2)(self._plan_epoch)

    def batch(self, number: int) -> Batch:
        """The batch that comes when `number` batches are done, counted over all epochs."""
        epoch, index = divmod(number, self.batches_per_epoch)
        return Batch(epoch, self._epoch(epoch)[index])

    def _plan_epoch(self, epoch: int) -> list[Int64s]:
        order = permutation(self._seed, epoch, Purpose.SHUFFLE, len(self._examples))
        window = np.arange(len(order)) // (self._batch_size * BATCHES_PER_WINDOW)
        order = order[np.lexsort((self._lengths[order], window))]
        starts = np.arange(0, len(order), self._batch_size)
        shuffled = starts[permutation(self._seed, epoch, Purpose.BATCH_ORDER, len(starts))]
        return [self._examples[order[start : start + self._batch_size]] for start in shuffled.tolist()]


def split_evaluation(examples: int, share: float, seed: int) -> tuple[Int64s, Int64s]:
    """Divide examples for training and evaluation.

    Args:
        examples: How many there are.
        share: Share to evaluate on; at least one example, and at least one is left to train on.
        seed: Not negative.

    Returns:
        Sorted global indices to train on, and sorted ones to evaluate on.
    """
    count = min(max(round(share * examples), 1), examples - 1)
    order = permutation(seed, 0, Purpose.EVALUATION_SPLIT, examples)
    return np.sort(order[count:]), np.sort(order[:count])
