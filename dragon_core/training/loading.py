"""Prepares batches, in processes of their own while the model computes, or when they are asked for."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from torch.utils.data import DataLoader, Dataset

from dragon_core.training.batching import Batch

Made = TypeVar("Made")

# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1


def loaded(prepare: Callable[[Batch], Made], batches: Iterable[Batch], workers: int, ahead: int = 2) -> Iterator[Made]:
    """Like `map(prepare, batches)`, in the same order.

    Args:
        prepare: A pure function.
        batches: What it is called with; may be endless.
        workers: Processes that prepare batches ahead; 0: none. They end when the iterator is no longer referred to.
        ahead: Batches that all workers together prepare ahead, or a few more.
    """
    options: dict[str, Any] = {}
    if workers:
        options = {"prefetch_factor": max(-(-ahead // workers), 2), "worker_init_fn": _live_and_die_with_the_trainer}
    return iter(
        DataLoader(_Prepared(prepare), None, sampler=batches, num_workers=workers, collate_fn=_as_it_is, **options)
    )


def _live_and_die_with_the_trainer(worker: int) -> None:
    # SIGTERM may go to a whole group, and the trainer still has a step to finish.
    os.setpgid(0, 0)
    # One that is killed leaves nobody to read what a worker writes, and the worker would wait for ever.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class _Prepared(Dataset[Made]):
    """What torch calls a data set: batches by request."""

    def __init__(self, prepare: Callable[[Batch], Made]) -> None:
        self._prepare = prepare

    def __getitem__(self, batch: Batch) -> Made:
        return self._prepare(batch)


def _as_it_is(batch: Made) -> Made:
    return batch
