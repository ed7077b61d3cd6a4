"""Pretrains in processes of their own: what they report and print is the run's, and they end when the run does."""

import json
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import psutil

from dragon_core.artifacts import ArtifactReference, ArtifactStore, Log, Progress, begin
from dragon_core.errors import DragonError
from dragon_core.training import Execution, Pretrain
from flows.process_family import end_family

WORKER = "dragon_core.training.worker"

# Enough for the step in hand and a checkpoint; a Prefect worker gives a cancelled run 30 s.
STOP_SECONDS = 20.0

# What has inherited the pipe of the log may live on.
LAST_LINES_SECONDS = 5.0


class ChildFailedError(DragonError):
    """A process that pretrains failed, or was killed."""


def pretrain_in_processes(stage: Pretrain, store_url: str, progress: Progress, log: Log) -> ArtifactReference:
    """Give the stage's artifact: the one in the store if it is sound, else a new one, made by other processes.

    Args:
        stage: What to make; its input artifacts must be in the store.
        store_url: Where to look and where to write.
        progress: Told of what the processes report.
        log: Gets what they print.

    Raises:
        ChildFailedError: They failed; the message is the sentence of their failure.
        ArtifactBusyError: Another process makes it, for longer than the stage waits.
    """
    store = ArtifactStore(store_url)
    if store.find(stage) is None:
        # So that what is damaged is cleared away before several processes look at it.
        begin(stage, store)
        with TemporaryDirectory(prefix="dragon-") as folder:
            path = Path(folder) / "stage.json"
            path.write_text(stage.model_dump_json(), encoding="utf-8")
            try:
                run_module([WORKER, str(path), store_url], stage.execution, progress, log)
            except ChildFailedError:
                # Another run may have made it meanwhile, which leaves these processes nothing to do.
                if store.find(stage) is None:
                    raise
        if store.find(stage) is None:
            raise ChildFailedError(
                f"The processes ended well, but {stage.reference} is not there: they run another version of the program"
                " than this one; run again."
            )
    return stage.reference


def run_module(arguments: Sequence[str], execution: Execution, progress: Progress, log: Log) -> None:
    """Run `python -m MODULE ARGUMENTS...` to its end, in one process or in several that know of each other.

    Whatever ends this function ends them all.

    Args:
        arguments: A module that reports as `dragon_core.training.worker` does, and what it is given.
        execution: How many processes, and their threads.
        progress: Told of what they report.
        log: Gets what they print.

    Raises:
        ChildFailedError: One of them failed or was killed.
    """
    error = ""
    with _started(_command(arguments, execution.num_processes), _environment(execution), log) as (child, last_words):
        for line in child.stdout:
            if not line.startswith("{"):
                log.info("%s", line.rstrip())
                continue
            report = json.loads(line)
            if "error" in report:
                # That of the others is that this one left them.
                error = error or report["error"]
            else:
                progress(report["done"], report["total"], **report["numbers"])
        status = child.wait()
    if error or status:
        raise ChildFailedError(error or _sentence(status, "".join(last_words)))


@contextmanager
def _started(
    command: Sequence[str], environment: dict[str, str], log: Log
) -> Iterator[tuple[psutil.Popen, deque[str]]]:
    """A process whose stderr is logged, and the last line of it; the process and its children end with the context."""
    child = psutil.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        # Signals of a terminal, or to the run's process group, are for the run alone, which ends this one in order.
        start_new_session=True,
    )
    last_words: deque[str] = deque(maxlen=1)
    logging = Thread(target=copy_context().run, args=(_log_lines, child.stderr, log, last_words), daemon=True)
    logging.start()
    try:
        yield child, last_words
    finally:
        if child.poll() is None:
            end_family(child, STOP_SECONDS)
        # Those whose launcher was killed are nobody's children, but still read from here.
        child.stdin.close()
        logging.join(LAST_LINES_SECONDS)
        child.stdout.close()
        child.stderr.close()


def _log_lines(lines: Iterable[str], log: Log, last_words: deque[str]) -> None:
    for line in lines:
        if line.strip():
            log.info("%s", line.rstrip())
        # Not the rule that `torch.distributed.run` draws below its report.
        if words := line.strip("=- \n"):
            last_words.append(words)


def _command(arguments: Sequence[str], num_processes: int) -> list[str]:
    several = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(num_processes), "-m"]
    return [sys.executable, "-m", *(several if num_processes > 1 else []), *arguments]


def _environment(execution: Execution) -> dict[str, str]:
    """This process's own, with each child's share of the cores where nobody chose; else several get a thread each."""
    environment = dict(os.environ)
    if execution.num_threads:
        environment["OMP_NUM_THREADS"] = str(execution.num_threads)
    elif execution.num_processes > 1:
        share = max((os.cpu_count() or 1) // execution.num_processes, 1)
        environment.setdefault("OMP_NUM_THREADS", str(share))
    return environment


def _sentence(status: int, last_words: str) -> str:
    # `torch.distributed.run` says of a process that was killed: Signal 9 (SIGKILL) received by PID 123.
    told = re.search(r"\bSignal (\d+) ", last_words)
    number = -status if status < 0 else int(told[1]) if told else 0
    if number:
        cause = ", perhaps for want of memory" if number == 9 else ""
        return f"Pretraining was killed by signal {number}{cause}; run again to go on from the last checkpoint."
    return f"Pretraining ended with exit status {status} ({last_words}); its lines in the run's log say why."
