"""The program that pretrains in processes of its own, whose memory and threads are gone with them.

    python -m dragon_core.training.worker STAGE.json STORE_URL
    python -m torch.distributed.run --standalone --nproc-per-node N -m dragon_core.training.worker STAGE.json STORE_URL

`STAGE.json` is a `Pretrain` as JSON. Each line of stdout is a JSON object, `{"done", "total", "numbers"}` for progress
or `{"error"}` for the sentence of the failure that ends it; all else that is printed goes to stderr. If its stdin is a
pipe, it ends when whoever holds the other end does.
"""

import json
import logging
import os
import signal
import stat
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

import torch
from torch.distributed.elastic.multiprocessing.errors import record
from transformers.utils.logging import disable_progress_bar

from dragon_core.artifacts import ArtifactStore, make
from dragon_core.errors import DragonError
from dragon_core.training.stage import Pretrain

# What a step and a checkpoint may take.
LAST_CHECKPOINT_SECONDS = 20.0

STDIN, STDOUT, STDERR = 0, 1, 2

logger = logging.getLogger("dragon_core.training.worker")


# Else `torch.distributed.run` says of a fault of the program only that there was one.
@record
def main(stage_path: str, store_url: str) -> None:
    """Pretrain, as one of `WORLD_SIZE` processes: that of `RANK` 0 makes the artifact, the others join it.

    Args:
        stage_path: A file with the stage as JSON.
        store_url: Where its inputs lie, and its artifact will.
    """
    end_with_parent()
    reports = take_stdout()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("dragon_core").setLevel(logging.INFO)
    disable_progress_bar()
    rank, world_size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    stage = Pretrain.model_validate_json(Path(stage_path).read_bytes())
    store = ArtifactStore(store_url)

    def report(**message: Any) -> None:
        print(json.dumps(message), file=reports, flush=True)

    def progress(done: int, total: int, /, **numbers: float) -> None:
        report(done=done, total=total, numbers=numbers)

    threads = torch.get_num_threads()
    logger.info("Process %d pretrains (%d of %d, threads: %d)", os.getpid(), rank + 1, world_size, threads)
    try:
        if rank == 0:
            make(stage, store, progress)
        # Else the first process has nothing to do, and nobody to train with.
        elif store.find(stage) is None:
            stage.join(store.inputs(stage), store.scratch(stage.reference))
    except DragonError as error:
        report(error=str(error))
        sys.exit(1)


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
    time.sleep(LAST_CHECKPOINT_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
