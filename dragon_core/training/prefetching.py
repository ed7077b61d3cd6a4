"""Prepares the next batches in a thread while the model computes."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def prefetched(prepare: Callable[[Given], Made], requests: Iterable[Given], ahead: int) -> Generator[Made, None, None]:
    """Like `map(prepare, requests)`, in the same order, up to `ahead` results early.

    Args:
        prepare: A pure function.
        requests: What it is called with; may be endless.
        ahead: Results to prepare before they are asked for; 0: none, and no thread.
    """
    if ahead == 0:
        yield from map(prepare, requests)
        return
    pending: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as executor:
        try:
            for request in requests:
                pending.append(executor.submit(prepare, request))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
