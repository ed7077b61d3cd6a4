"""One run at a time in a folder: a process that was told to end may still be writing its last checkpoint there."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dragon_core.training.errors import TrainingError

POLL_SECONDS = 0.2


@contextmanager
def only_one(folder: Path, seconds: float = 60.0) -> Iterator[None]:
    """Hold a folder; the system lets go of it when the process ends, however it does.

    Args:
        folder: A local folder.
        seconds: How long to wait for another process to let go.

    Raises:
        TrainingError: Another process holds it all the time.
    """
    with (folder / "lock").open("w") as file:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TrainingError(
                        f"Another process trains the same model, in {folder}; wait for it, or end it."
                    ) from None
                time.sleep(POLL_SECONDS)
        yield
