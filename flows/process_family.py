"""Ends a process together with all that it started."""

from contextlib import suppress

import psutil

# To give back much memory takes a process that was killed a moment.
KILLED_SECONDS = 15.0


def end_family(process: psutil.Process, seconds: float) -> None:
    """Terminate a process, and kill what is left of it and of its descendants after some seconds.

    Args:
        process: It passes SIGTERM on to its children if they are to end in an orderly way.
        seconds: How long their orderly end may take.
    """
    try:
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        return
    _, alive = psutil.wait_procs(family, timeout=seconds)
    for survivor in alive:
        # One that was killed before may have been its parent, without which it does not live.
        with suppress(psutil.NoSuchProcess):
            survivor.kill()
    psutil.wait_procs(alive, timeout=KILLED_SECONDS)
