"""Prefect's Dask task runner, with a sentence for each thing that can go wrong; needs the extra `dask`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask
import distributed
from distributed.utils import LoopRunner
from prefect import Task
from prefect.context import serialize_context
from prefect_dask.client import PrefectDaskClient
from prefect_dask.task_runners import DaskTaskRunner

from flows.task_runners import TaskRunnerError

# Dask itself goes on trying for half a minute, and leaves a client behind that cannot be closed.
CONNECT_SECONDS = 10.0

LOCAL_CLUSTER: dict[str, Any] = {
    "processes": True,
    "threads_per_worker": 1,
    "host": "127.0.0.1",
    # The scheduler serves its health there even without a dashboard: on any free port, so that two runs do not meet.
    "dashboard_address": "127.0.0.1:0",
    "scheduler_kwargs": {"dashboard": False},
    # The default is a share of the memory, mapped files count, and a worker above it is killed: opening a large graph
    # would be enough.
    "memory_limit": None,
}
LOCAL_SETTINGS = {
    # Else the run's log gives a link to the dashboard that is not there.
    "distributed.dashboard.link": "",
    # A dozen lines a worker say that it started; the environment is all that a worker looks at early enough.
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "warning",
}


class CheckedDaskTaskRunner(DaskTaskRunner):
    """Prefect's task runner for a Dask cluster; looks whether scheduler and workers are what they must be."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._checked: set[str] = set()

    @property
    def client(self) -> PrefectDaskClient:
        """The client, connected when it is asked for first.

        Raises:
            TaskRunnerError: No scheduler answers.
        """
        if self._client is None and self.address is not None:
            scheduler = scheduler_at(self.address)
            if not scheduler["workers"]:
                self.logger.warning("The Dask scheduler at %s has no workers yet; shards wait for one.", self.address)
        return super().client

    def submit(self, task: Any, parameters: dict[str, Any], wait_for: Any = None, dependencies: Any = None) -> Any:
        """Give a task to the cluster.

        Raises:
            TaskRunnerError: No scheduler answers, or a worker cannot read the task.
        """
        if task.name not in self._checked:
            self._check_workers(task, parameters)
            self._checked.add(task.name)
        return super().submit(task, parameters, wait_for, dependencies)

    def _check_workers(self, task: Task[Any, Any], parameters: dict[str, Any]) -> None:
        # A worker that cannot read a task ends without a word, and the run would wait for ever for another one.
        sample = (task, parameters, serialize_context())
        for worker, answer in self.client.run(id, sample, on_error="return").items():
            if isinstance(answer, Exception):
                raise TaskRunnerError(
                    f"The Dask worker {worker} cannot read the task {task.name} ({answer}); install"
                    " the same version of dragon there as here, and start the worker again."
                )


@contextmanager
def dask_task_runner(address: str | None, workers: int) -> Iterator[DaskTaskRunner]:
    """Have a task runner for the cluster of a scheduler, or for one on this machine that starts with the first task.

    Args:
        address: Address of the scheduler, if there is one.
        workers: How many workers a cluster on this machine has.

    Raises:
        TaskRunnerError: No scheduler answers, it was lost, or workers have another program or died again and again.
    """
    with _task_runner(address, workers) as runner:
        try:
            yield runner
        except distributed.KilledWorker as error:
            raise TaskRunnerError(
                f"Dask workers died while they made the same shards (tried {error.allowed_failures + 1} times), perhaps"
                f" for want of memory; the last was {error.last_worker.address}, whose log may say why. Run again to go"
                " on: finished shards are kept."
            ) from error
        except distributed.CancelledError as error:
            where = f"at {address}" if address else "of this run"
            raise TaskRunnerError(
                f"The Dask scheduler {where} was lost, or dropped the shards it had been given; run again once it"
                " answers: finished shards are kept."
            ) from error


def scheduler_at(address: str) -> dict[str, Any]:
    """What the scheduler at an address says of itself and its workers.

    Raises:
        TaskRunnerError: No scheduler answers there.
    """

    async def ask() -> dict[str, Any]:
        security = distributed.Security().get_connection_args("client")
        async with distributed.rpc(address, timeout=CONNECT_SECONDS, connection_args=security) as server:
            return dict(await server.identity())

    try:
        found = LoopRunner().run_sync(ask, callback_timeout=2 * CONNECT_SECONDS)
        cause = f"a Dask {found['type'].lower()} does"
    except Exception as error:
        # Another program at the address may answer with anything, and each answer is an error of another type.
        found, cause = {}, _cause(error) if isinstance(error, OSError | ValueError) else "another program does"
    if found.get("type") != "Scheduler":
        raise TaskRunnerError(
            f"No Dask scheduler answers at {address} ({cause}); start one there with `dask scheduler`, or mend"
            " `address` of the task runner `dask`."
        )
    return found


@contextmanager
def _task_runner(address: str | None, workers: int) -> Iterator[DaskTaskRunner]:
    if address is not None:
        with CheckedDaskTaskRunner(address=address) as runner:
            yield runner
        return
    logging.getLogger("distributed").setLevel(logging.WARNING)
    settings = LOCAL_CLUSTER | {"n_workers": workers}
    with (
        dask.config.set(LOCAL_SETTINGS),
        CheckedDaskTaskRunner(cluster_class=distributed.LocalCluster, cluster_kwargs=settings) as runner,
    ):
        yield runner


def _cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    # The last attempt may have been cut short when the time was up, and has no message then.
    return str(error) or f"nothing within {CONNECT_SECONDS:g} seconds"
