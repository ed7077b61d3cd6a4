"""What makes a flow's shards: threads, processes or a Dask cluster, chosen by name in the flow's parameters."""

import os
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Annotated, Any, Literal, Self

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from pydantic import Field, field_validator, model_validator

from dragon_core.artifacts import Parameters
from dragon_core.errors import DragonError


class TaskRunnerError(DragonError):
    """What makes the shards is not installed, does not answer, or was lost."""


class Threads(Parameters):
    """Threads of the flow run's own process."""

    name: Literal["threads"] = "threads"
    workers: int | None = Field(None, ge=1, description="How many threads; by default one a core of this machine.")


class Processes(Parameters):
    """Processes of this machine."""

    name: Literal["processes"] = "processes"
    workers: int | None = Field(None, ge=1, description="How many processes; by default one a core of this machine.")


class Dask(Parameters):
    """A Dask cluster: the one of the scheduler at `address`, else one on this machine for as long as it is needed."""

    name: Literal["dask"] = "dask"
    address: str | None = Field(None, description="Address of the cluster's scheduler, tcp://HOST:PORT.")
    workers: int | None = Field(
        None, ge=1, description="How many workers a cluster on this machine has; by default one a core."
    )

    @field_validator("address")
    @classmethod
    def _has_a_port(cls, address: str | None) -> str | None:
        if address is not None and not address.rpartition(":")[2].isdigit():
            raise ValueError(f"give the scheduler's address as tcp://HOST:PORT, not {address!r}")
        return address

    @model_validator(mode="after")
    def _is_one_cluster(self) -> Self:
        if self.address is not None and self.workers is not None:
            raise ValueError("`workers` is for a cluster on this machine; the one at `address` has its own")
        return self


TaskRunnerParams = Annotated[Threads | Processes | Dask, Field(discriminator="name")]


@contextmanager
def started(params: TaskRunnerParams) -> Iterator[TaskRunner[Any]]:
    """Have a task runner for stages with shards; its workers start, or are connected to, with the first task.

    Args:
        params: Which one.

    Raises:
        TaskRunnerError: It is not installed, does not answer, or was lost.
    """
    match params:
        case Threads():
            with ThreadPoolTaskRunner[Any](max_workers=params.workers or os.cpu_count()) as threads:
                yield threads
        case Processes():
            with ProcessPoolTaskRunner(max_workers=params.workers) as processes:
                try:
                    yield processes
                except BrokenProcessPool as error:
                    raise TaskRunnerError(
                        "A process that makes shards was killed, perhaps for want of memory; run again to go on:"
                        " finished shards are kept."
                    ) from error
        case Dask():
            try:
                from flows.dask_task_runner import dask_task_runner
            except ModuleNotFoundError as error:
                raise TaskRunnerError(
                    f"The task runner `dask` needs {error.name}, which is not installed; install it with"
                    " `make .venv/installed-dask`, or choose the task runner `threads` or `processes`."
                ) from error
            with dask_task_runner(params.address, params.workers or os.cpu_count() or 1) as cluster:
                yield cluster
