"""Ends a process together with all that it started."""

import psutil


def end_family(process: psutil.Process, seconds: float) -> None:
    """Terminate a process, and kill what is left of it and of its descendants after some seconds.

    Args:
        process: It passes SIGTERM on to its children if they are to end in an orderly way.
        seconds: How long that may take.
    """
    try:
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        return
    _, alive = psutil.wait_procs(family, timeout=seconds)
    for survivor in alive:
        survivor.kill()
    psutil.wait_procs(alive, timeout=seconds)
