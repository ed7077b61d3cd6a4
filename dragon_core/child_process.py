"""What a program does that another one runs as its child, and reads reports of."""

import os
import signal
import stat
import threading
import time
from typing import TextIO

# What the last checkpoint of a training may take.
LAST_SECONDS = 20.0

STDIN, STDOUT, STDERR = 0, 1, 2


def end_with_parent() -> None:
    """Let this process end by SIGTERM, or SIGKILL if that takes long, once the pipe at its stdin has lost its writer.

    The system closes a pipe however its writer ends, and `torch.distributed.run` hands its stdin on, so that each
    process sees the end of the program that started them all.
    """
    # A shell or a batch system gives a terminal, a file or /dev/null.
    if stat.S_ISFIFO(os.fstat(STDIN).st_mode):
        threading.Thread(target=_await_end_of_stdin, daemon=True).start()


def take_stdout() -> TextIO:
    """Give a stream to stdout; what others print there goes to stderr from now on."""
    taken = os.fdopen(os.dup(STDOUT), "w", encoding="utf-8")
    os.dup2(STDERR, STDOUT)
    return taken


def _await_end_of_stdin() -> None:
    # By `sys.stdin`, this thread would hold a lock that the interpreter wants at its end.
    while os.read(STDIN, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
