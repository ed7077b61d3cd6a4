"""The processes that `run_module` starts, of a small program instead of the one that pretrains."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from dragon_core.artifacts import silent
from dragon_core.training import Execution
from flows import child_processes
from flows.child_processes import ChildFailedError, run_module
from tests.flows.projects import REPOSITORY
from tests.flows.running import eventually

PARENT = """\
import logging, sys
from dragon_core.artifacts import silent
from dragon_core.training import Execution
from flows.child_processes import run_module
run_module(sys.argv[2:], Execution(num_processes=int(sys.argv[1])), silent, logging.getLogger())
"""

one_or_two = pytest.mark.parametrize("num_processes", [1, 2])


def program(folder: Path, kind: str) -> list[str]:
    return ["tests.flows.ranks", str(folder), kind]


def run(arguments: Sequence[str], num_processes: int = 1, num_threads: int = 0) -> None:
    execution = Execution(num_processes=num_processes, num_threads=num_threads)
    run_module(arguments, execution, silent, logging.getLogger("run"))


def started(folder: Path) -> dict[int, int]:
    """The process of each rank."""
    return {int(path.stem.split("-")[1]): int(path.suffix[1:]) for path in folder.glob("rank-*")}


def alive(folder: Path) -> list[int]:
    return [pid for pid in started(folder).values() if psutil.pid_exists(pid)]


@one_or_two
def test_reports_are_progress_and_all_else_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, num_processes: int
) -> None:
    caplog.set_level(logging.INFO)
    reports: list[tuple[int, int, dict[str, float]]] = []

    def progress(done: int, total: int, /, **numbers: float) -> None:
        reports.append((done, total, numbers))

    execution = Execution(num_processes=num_processes)
    run_module(program(tmp_path, "end"), execution, progress, logging.getLogger("run"))
    assert reports == [(1, 2, {"loss": 0.5})]
    assert caplog.messages.count("noise") == num_processes
    assert sorted(started(tmp_path)) == list(range(num_processes))


def test_the_cores_are_shared_unless_somebody_chose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share = str(max((os.cpu_count() or 1) // 2, 1))
    given: dict[str, list[str]] = {}
    for name, variable, num_processes, num_threads in (
        ("share", None, 2, 0),
        ("variable", "5", 2, 0),
        ("parameter", "5", 1, 3),
    ):
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if variable:
            monkeypatch.setenv("OMP_NUM_THREADS", variable)
        folder = tmp_path / name
        folder.mkdir()
        run(program(folder, "end"), num_processes, num_threads)
        given[name] = [path.read_text() for path in folder.glob("rank-*")]
    assert given == {"share": [share] * 2, "variable": ["5"] * 2, "parameter": ["3"]}


@one_or_two
@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("report an error", r"^There is no graph; make one\.$"),
        ("be killed", r"^Pretraining was killed by signal 9, perhaps for want of memory; run again to go on from"),
    ],
)
def test_a_failure_is_a_sentence_and_leaves_no_process(
    tmp_path: Path, num_processes: int, kind: str, sentence: str
) -> None:
    with pytest.raises(ChildFailedError, match=sentence):
        run(program(tmp_path, kind), num_processes)
    assert not alive(tmp_path)


def test_a_fault_of_the_program_is_its_last_line_and_the_rest_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(
        ChildFailedError, match=r"ended with exit status 1 \(RuntimeError: the disk is gone\); its lines"
    ):
        run(program(tmp_path, "fail"))
    assert "Traceback (most recent call last):" in caplog.messages


@one_or_two
@pytest.mark.parametrize("kind", ["wait", "ignore SIGTERM"])
def test_what_interrupts_the_parent_stops_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_processes: int, kind: str
) -> None:
    if kind == "ignore SIGTERM":
        monkeypatch.setattr(child_processes, "STOP_SECONDS", 0.5)

    def interrupted(done: int, total: int, /, **numbers: float) -> None:
        assert eventually(lambda: len(alive(tmp_path)) == num_processes)
        raise KeyboardInterrupt

    execution = Execution(num_processes=num_processes)
    with pytest.raises(KeyboardInterrupt):
        run_module(program(tmp_path, kind), execution, interrupted, logging.getLogger("run"))
    assert not alive(tmp_path)


@one_or_two
def test_they_end_when_the_parent_is_killed(tmp_path: Path, num_processes: int) -> None:
    command = [sys.executable, "-c", PARENT, str(num_processes), *program(tmp_path, "wait")]
    with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL) as parent:
        assert eventually(lambda: len(alive(tmp_path)) == num_processes)
        family = psutil.Process(parent.pid).children(recursive=True)
        parent.send_signal(signal.SIGKILL)
    _, left = psutil.wait_procs(family, timeout=60)
    assert not left
