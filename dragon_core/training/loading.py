"""Prepares batches, in processes of their own while the model computes, or when they are asked for."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from torch.utils.data import DataLoader, Dataset

from dragon_core.training.batching import Batch

Made = TypeVar("Made")


def loaded(prepare: Callable[[Batch], Made], batches: Iterable[Batch], workers: int) -> Iterator[Made]:
    """Like `map(prepare, batches)`, in the same order.

    Args:
        prepare: A pure function.
        batches: What it is called with; may be endless.
        workers: Processes that prepare batches ahead; 0: none. They end when the iterator is no longer referred to.
    """
    return iter(DataLoader(_Prepared(prepare), None, sampler=batches, num_workers=workers, collate_fn=_as_it_is))


class _Prepared(Dataset[Made]):
    """What torch calls a data set: batches by request."""

    def __init__(self, prepare: Callable[[Batch], Made]) -> None:
        self._prepare = prepare

    def __getitem__(self, batch: Batch) -> Made:
        return self._prepare(batch)


def _as_it_is(batch: Made) -> Made:
    return batch
