"""One process at a time finishes an artifact: others wait for it, and find what it made."""

import fcntl
import logging
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dragon_core.artifacts.errors import ArtifactBusyError

logger = logging.getLogger(__name__)

LOCK_NAME = "lock"
POLL_SECONDS = 0.2


@contextmanager
def only_one(folder: Path, what: str, seconds: float = math.inf) -> Iterator[None]:
    """Hold a folder; the system lets go of it when the process ends, however it does.

    Args:
        folder: A local folder; its holder may delete it.
        what: What is made there, for people.
        seconds: How long to wait for another process to let go.

    Raises:
        ArtifactBusyError: Another process holds it all the time.
    """
    deadline = time.monotonic() + seconds
    told = False
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK_NAME).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ArtifactBusyError(
                        f"Another process makes {what}, in {folder}; wait for it, or end it."
                    ) from None
                if not told:
                    logger.warning("Another process makes %s: waiting for it.", what)
                    told = True
                time.sleep(POLL_SECONDS)
                continue
            # Who held it before may have deleted the folder, and another process made it anew.
            if _is_at(folder / LOCK_NAME, file.fileno()):
                yield
                return


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
