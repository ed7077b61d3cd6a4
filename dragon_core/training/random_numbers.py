"""Random numbers that are a pure function of (seed, epoch, example, purpose, counter).

numpy's generators are sequences: what an example draws would depend on who drew before it, so on the batch it is in.
Here every example has a key of its own and a number is a hash of key and counter (the finaliser of SplitMix64; Steele,
Lea and Flood, OOPSLA 2014), computed for a whole batch at once. An example is therefore masked and corrupted in the
same way whatever the batch size, the number of ranks, or the step at which a run was continued.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

UInt64s = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

# Four are enough for many numbers; a few numbers want some more.
FEISTEL_ROUNDS = 6

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Purpose(IntEnum):
    """What a number is drawn for; draws of different purposes are independent."""

    SHUFFLE = 1
    BATCH_ORDER = 2
    EVALUATION_SPLIT = 3
    MASKED_WORDS = 4
    MASK_KIND = 5
    REPLACEMENT_TOKEN = 6
    LINK_TARGETS = 7
    NEGATIVES = 8
    SPAN_LENGTH = 9
    DROPOUT = 10
    KEPT_TARGETS = 11


def example_keys(seed: int, epoch: int, examples: Integers) -> UInt64s:
    """Keys of examples.

    Args:
        seed: Not negative.
        epoch: Not negative.
        examples: [B] global indices.

    Returns:
        [B] keys; different for different (seed, epoch, example) but for the odds of a 64-bit collision.
    """
    key = _mix(_mix(np.array([seed], dtype=np.uint64)) ^ np.uint64(epoch))
    return _mix(key ^ examples.astype(np.uint64))


def random_bits(keys: UInt64s, purpose: Purpose, counters: Integers | int = 0) -> UInt64s:
    """64 random bits for each pair of a key and a counter; the shapes are broadcast against one another."""
    with np.errstate(over="ignore"):
        steps = (np.asarray(counters).astype(np.uint64) + np.uint64(1)) * _GOLDEN
        return _mix(_mix(keys ^ np.uint64(purpose)) + steps)


def uniform(keys: UInt64s, purpose: Purpose, counters: Integers | int = 0) -> Floats:
    """Numbers in [0, 1), 53 bits each; see `random_bits`."""
    return (random_bits(keys, purpose, counters) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def shuffled(seed: int, epoch: int, purpose: Purpose, length: int, positions: Integers) -> npt.NDArray[np.int64]:
    """What stands at some positions of a random order of 0 ... length - 1, which is never held in memory.

    The order is a Feistel cipher (Luby and Rackoff, SIAM J. Comput. 17, 1988) on the numbers below the next power of
    4; a number that is not below `length` is enciphered again until it is ("cycle walking"; Black and Rogaway, CT-RSA
    2002), which takes four tries at most on average.

    Args:
        seed: Not negative.
        epoch: Not negative.
        purpose: What the order is for.
        length: How many numbers are ordered.
        positions: [n] each below `length`.
    """
    half = np.uint64(max((length - 1).bit_length() + 1, 2) // 2)
    mask = np.uint64((1 << int(half)) - 1)
    keys = random_bits(example_keys(seed, epoch, np.zeros(1, np.int64)), purpose, np.arange(FEISTEL_ROUNDS))
    numbers = np.asarray(positions).astype(np.uint64)
    outside = np.arange(len(numbers))
    while len(outside):
        left, right = numbers[outside] >> half, numbers[outside] & mask
        for key in keys:
            left, right = right, left ^ (_mix(right ^ key) & mask)
        numbers[outside] = (left << half) | right
        outside = outside[numbers[outside] >= length]
    return numbers.astype(np.int64)


def _mix(x: UInt64s) -> UInt64s:
    with np.errstate(over="ignore"):
        x = x + _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
