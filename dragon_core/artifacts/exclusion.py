"""One process at a time finishes an artifact: others wait for it, and find what it made."""

import fcntl
import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dragon_core.artifacts.errors import ArtifactBusyError

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2


@contextmanager
def only_one(lock: Path, what: str, seconds: float = math.inf) -> Iterator[None]:
    """Hold a lock; the system lets go of it when the process ends, however it does.

    Args:
        lock: A local file, which is made and stays: deleted, it could be held twice.
        what: What is made by its holder, for people.
        seconds: How long to wait for another process to let go.

    Raises:
        ArtifactBusyError: Another process holds it all the time.
    """
    with lock.open("w") as file:
        deadline = time.monotonic() + seconds
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ArtifactBusyError(f"Another process makes {what}; wait for it, or end it ({lock}).") from None
                if not told:
                    logger.warning("Another process makes %s: waiting for it.", what)
                    told = True
                time.sleep(POLL_SECONDS)
        yield
