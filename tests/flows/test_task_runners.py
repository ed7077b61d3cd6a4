import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dask
import pytest
from prefect import flow
from prefect.runtime import flow_run
from pydantic import TypeAdapter, ValidationError

from dragon_core.artifacts import ArtifactStore
from dragon_core.errors import DragonError
from flows import dask_task_runner
from flows.pipelines_file import check_pipelines
from flows.stage_runner import make_shard_group, run_stage
from flows.task_runners import Dask, Processes, TaskRunnerError, TaskRunnerParams, Threads, started
from tests.artifacts.stages import Gated, GatedParams
from tests.flows.projects import REPOSITORY
from tests.flows.running import eventually, free_port
from tests.flows.test_stage_runner import task_states

PARAMS: TypeAdapter[TaskRunnerParams] = TypeAdapter(TaskRunnerParams)


@flow
def gated(store: str, params: GatedParams, task_runner: TaskRunnerParams) -> str:
    with started(task_runner) as runner:
        run_stage(Gated(params=params), store, runner)
    return str(flow_run.get_id())


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    folder = tmp_path / "gate"
    folder.mkdir()
    return folder


def begun(gate: Path, shard: str) -> list[int]:
    """The processes that began the shard."""
    return [int(path.suffix[1:]) for path in gate.glob(f"{shard}.*")]


def digest(store: Path) -> str:
    return ArtifactStore(str(store)).resolve("gated/latest").manifest.digest


def undisturbed(folder: Path) -> str:
    """Digest of what threads make."""
    gate = folder / "open-gate"
    gate.mkdir()
    (gate / "open").touch()
    gated(str(folder / "undisturbed"), GatedParams(gate=str(gate)), Threads())
    return digest(folder / "undisturbed")


@contextmanager
def a_worker_killed_in_the_middle(gate: Path) -> Iterator[None]:
    """Once two workers are in the middle of a shard each, kill the one of the first; then open the gate."""

    def kill() -> None:
        try:
            assert eventually(lambda: begun(gate, "part-2") and begun(gate, "part-6"))
            os.kill(begun(gate, "part-2")[0], signal.SIGKILL)
        finally:
            (gate / "open").touch()

    with ThreadPoolExecutor() as executor:
        killing = executor.submit(kill)
        yield
        killing.result()


@pytest.mark.usefixtures("prefect_server")
def test_a_dask_worker_killed_in_the_middle_changes_nothing(tmp_path: Path, gate: Path) -> None:
    with a_worker_killed_in_the_middle(gate):
        run_id = gated(str(tmp_path / "store"), GatedParams(gate=str(gate)), Dask(workers=2))
    assert {shard: len(begun(gate, shard)) for shard in ("part-0", "part-1", "part-2", "part-3", "part-6")} == {
        "part-0": 1,
        "part-1": 1,
        "part-2": 2,
        "part-3": 1,
        "part-6": 1,
    }
    assert task_states(run_id, 3) == {"gated": ["Completed"] * 3}
    assert digest(tmp_path / "store") == undisturbed(tmp_path)


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize(
    ("task_runner", "sentence"),
    [
        (Processes(workers=2), "A process that makes shards was killed"),
        (Dask(workers=2), "Dask workers died while they made the same shards"),
    ],
)
def test_a_loss_that_ends_the_run_is_a_sentence_and_what_was_made_is_kept(
    tmp_path: Path, gate: Path, task_runner: TaskRunnerParams, sentence: str
) -> None:
    store, params = str(tmp_path / "store"), GatedParams(gate=str(gate))
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        pytest.raises(TaskRunnerError, match=sentence),
        a_worker_killed_in_the_middle(gate),
    ):
        gated(store, params, task_runner)
    gated(store, params, Threads())
    assert len(begun(gate, "part-1")) == 1
    assert digest(tmp_path / "store") == undisturbed(tmp_path)


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("task_runner", [Threads(workers=2), Dask(workers=2)])
def test_the_first_group_that_fails_is_raised_and_the_shards_of_the_others_are_kept(
    tmp_path: Path, gate: Path, task_runner: TaskRunnerParams
) -> None:
    (gate / "open").touch()
    params = GatedParams(gate=str(gate), shard_count=12, faulty=("part-5", "part-8"))
    with pytest.raises(DragonError, match=r"^part-5 is faulty\.$"):
        gated(str(tmp_path / "store"), params, task_runner)
    records = (tmp_path / "store").glob("gated/*/.shards/*.json")
    assert sorted(record.stem for record in records) == ["part-0", "part-1", "part-2", "part-3", "part-4"]


@contextmanager
def cluster(folder: Path, program: Path = REPOSITORY) -> Iterator[str]:
    """Address of a scheduler with one worker, which both run in a folder and take the program from another."""
    address = f"tcp://127.0.0.1:{free_port()}"
    local = ("--host", "127.0.0.1", "--no-dashboard")
    with (
        dask_process("scheduler", "--port", address.rpartition(":")[2], *local, folder=folder, program=program),
        dask_process("worker", address, "--nthreads", "1", *local, folder=folder, program=program),
    ):
        assert eventually(lambda: answers_at(address))
        yield address


def answers_at(address: str) -> bool:
    try:
        return bool(dask_task_runner.scheduler_at(address)["workers"])
    except TaskRunnerError:
        return False


@contextmanager
def dask_process(*arguments: str, folder: Path, program: Path) -> Iterator[None]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    started_here = subprocess.Popen(
        [Path(sys.executable).parent / "dask", *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(program)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        started_here.terminate()
        started_here.wait(timeout=30)


@pytest.mark.usefixtures("prefect_server")
def test_a_cluster_of_another_folder_makes_the_same_bytes(
    tmp_path: Path, gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gate / "open").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    with cluster(elsewhere) as address:
        run_id = gated("store", GatedParams(gate=str(gate)), Dask(address=address))
    assert task_states(run_id, 3) == {"gated": ["Completed"] * 3}
    assert begun(gate, "part-0") != [os.getpid()]
    assert digest(tmp_path / "store") == undisturbed(tmp_path)


def test_a_worker_with_another_program_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "dragon_core").mkdir()
    (tmp_path / "dragon_core" / "__init__.py").touch()
    arguments = {"stage": Gated(params=GatedParams(gate="")), "store_url": "", "names": ["part-0"]}
    with (
        cluster(tmp_path, program=tmp_path) as address,
        pytest.raises(TaskRunnerError, match=r"cannot read the task shards \(.*dragon_core"),
        started(Dask(address=address)) as runner,
    ):
        runner.submit(make_shard_group, arguments)


class _SomethingElse(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_an_address_without_a_scheduler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_task_runner, "CONNECT_SECONDS", 0.5)
    address = f"tcp://127.0.0.1:{free_port()}"
    with (
        pytest.raises(TaskRunnerError, match=rf"No Dask scheduler answers at {address} \(.+\); start one there"),
        started(Dask(address=address)) as runner,
    ):
        runner.submit(make_shard_group, {})
    with HTTPServer(("127.0.0.1", 0), _SomethingElse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with (
            pytest.raises(TaskRunnerError, match=r"No Dask scheduler answers at .*; start one there"),
            started(Dask(address=f"127.0.0.1:{server.server_port}")) as runner,
        ):
            runner.submit(make_shard_group, {})
        server.shutdown()


def test_without_the_extra_the_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "flows.dask_task_runner")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(TaskRunnerError, match=r"make .venv/installed-dask"), started(Dask()):
        pass


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"name": "dusk"}, "does not match any of the expected tags"),
        ({"workers": 2}, "Unable to extract tag"),
        ({"name": "threads", "address": "tcp://scheduler:8786"}, "Extra inputs are not permitted"),
        ({"name": "processes", "workers": 0}, "greater than or equal to 1"),
        ({"name": "dask", "adress": "tcp://scheduler:8786"}, "Extra inputs are not permitted"),
        ({"name": "dask", "address": "scheduler"}, "tcp://HOST:PORT, not 'scheduler'"),
        ({"name": "dask", "address": "tcp://scheduler:8786", "workers": 2}, "`workers` is for a cluster on this"),
    ],
)
def test_parameters_that_fit_no_task_runner_are_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        PARAMS.validate_python(given)


@pytest.mark.parametrize(
    ("task_runner", "problem"),
    [
        ("{name: dask, address: 'tcp://scheduler:8786'}", None),
        ("{name: dask, workers: 2}", None),
        ("{name: threads}", None),
        ("{name: dusk}", "line 5, deployments[0].parameters.task_runner: Input tag 'dusk' found using 'name' does not"),
        (
            "{name: dask, adress: 'tcp://scheduler:8786'}",
            "line 5, deployments[0].parameters.task_runner.dask.adress: there is no `adress` here; did you mean",
        ),
    ],
)
@pytest.mark.parametrize("name", ["refresh_corpus", "pretrain"])
def test_the_deployments_file_chooses_the_task_runner(
    tmp_path: Path, name: str, task_runner: str, problem: str | None
) -> None:
    (tmp_path / "flows").symlink_to(REPOSITORY / "flows")
    file = tmp_path / "pipelines.yaml"
    file.write_text(
        f"deployments:\n  - name: elsewhere\n    entrypoint: flows/{name}.py:{name}\n    parameters:\n"
        f"      task_runner: {task_runner}\n    work_pool: {{name: dragon}}\n"
    )
    found = [str(one) for one in check_pipelines(file)]
    assert (found == []) if problem is None else (len(found) == 1 and found[0].startswith(problem)), found
