"""The project's own Prefect server and worker on this machine: started in the background, reached on loopback only.

Their state (database, logs, process records) lies in `.dragon/prefect` of the project; the user's Prefect home and
profile are neither read nor written.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dragon_core.errors import DragonError
from flows.background_process import BackgroundProcess

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

WORK_POOL = "dragon"
PIPELINES_NAME = "pipelines.yaml"
PORT_VARIABLE = "DRAGON_PREFECT_PORT"
DEFAULT_PORT = 4200
LOOPBACK = ("127.0.0.1", "localhost", "::1")

# A new database is migrated for 10 s on an idle machine, for much longer on a busy one.
START_SECONDS = 180.0
POLL_SECONDS = 0.2

# Settings of a server the user may have elsewhere; ours has its own.
FOREIGN_SETTINGS = ("PREFECT_API_", "PREFECT_SERVER_API_", "PREFECT_SERVER_DATABASE_", "PREFECT_PROFILE")


class LocalServerError(DragonError):
    """The local Prefect server or worker cannot be started or used."""


@dataclass(frozen=True)
class ServerStatus:
    """What runs now.

    Attributes:
        api_url: Address of the API.
        answers: Whether a Prefect server answers there.
        server: Whether the server of this project runs.
        worker: Whether its worker runs.
    """

    api_url: str
    answers: bool
    server: bool
    worker: bool


class LocalServer:
    """The server and the worker of one project folder.

    Args:
        project: Folder with `prefect.toml` and `pipelines.yaml`.
        say: Receives a line for the user before each wait.
    """

    def __init__(self, project: Path, say: Callable[[str], None] = print) -> None:
        self.project = project.resolve()
        self.home = self.project / ".dragon" / "prefect"
        self.server = BackgroundProcess(self.home, "server")
        self.worker = BackgroundProcess(self.home, "worker")
        self.say = say

    @cached_property
    def api_url(self) -> str:
        """Address of the API: where our server runs, else where the environment wants it, else port 4200.

        Raises:
            LocalServerError: The environment names another machine, or something that is no address.
        """
        wanted = _wanted_api_url(os.environ)
        record = self.server.record
        if record is None:
            return wanted or f"http://127.0.0.1:{DEFAULT_PORT}/api"
        if wanted not in (None, record.api_url):
            raise LocalServerError(
                f"The server of this project runs at {record.api_url}, not at {wanted}; stop it first with"
                " `dragon server stop`."
            )
        return record.api_url

    @property
    def ui_url(self) -> str:
        """Address of the user interface."""
        return self.api_url.removesuffix("/api")

    @property
    def hint(self) -> str:
        """What `prefect` commands need in order to reach this server; empty at the port that `prefect.toml` names."""
        if urlsplit(self.api_url).port == DEFAULT_PORT:
            return ""
        return f"For `prefect` commands in this folder: export PREFECT_API_URL={self.api_url}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment for every Prefect process that is to use this server."""
        port = str(urlsplit(self.api_url).port)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_SETTINGS)}
        return kept | {
            "DO_NOT_TRACK": "1",
            "PREFECT_API_URL": self.api_url,
            "PREFECT_HOME": str(self.home),
            "PREFECT_PROFILES_PATH": str(self.home / "profiles.toml"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_API_PORT": port,
        }

    def client(self) -> "SyncPrefectClient":
        """A client of this server."""
        from prefect.client.orchestration import SyncPrefectClient

        return SyncPrefectClient(api=self.api_url)

    def start(self) -> None:
        """Start what does not run yet: the server, the work pool, the worker.

        Raises:
            LocalServerError: The port is in use, or a process ends or does not answer in time.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        if self.server.record is None:
            self._start_server()
        self._await_health()
        self._create_work_pool()
        if self.worker.record is None:
            self._skip_missed_schedules()
            arguments = ["prefect", "worker", "start", "--pool", WORK_POOL, "--name", f"{WORK_POOL}-local"]
            self.worker.start(arguments, self.environment, self.project, self.api_url)

    def stop(self) -> list[str]:
        """End the worker and the server, if they are ours.

        Returns:
            Names of what was running.
        """
        stopped = [process.name for process in (self.worker, self.server) if process.stop()]
        self.__dict__.pop("api_url", None)
        return stopped

    def status(self) -> ServerStatus:
        """What runs now."""
        return ServerStatus(
            api_url=self.api_url,
            answers=self.answers(),
            server=self.server.record is not None,
            worker=self.worker.record is not None,
        )

    def answers(self) -> bool:
        """Whether a Prefect server answers at the address."""
        try:
            with urllib.request.urlopen(f"{self.api_url}/health", timeout=5) as response:
                return bool(response.read() == b"true")
        except (OSError, urllib.error.URLError):
            return False

    def deploy(self) -> None:
        """Deploy `pipelines.yaml` by Prefect's own command.

        Raises:
            LocalServerError: The command failed.
        """
        command = ["prefect", "--no-prompt", "deploy", "--prefect-file", PIPELINES_NAME, "--all"]
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.project,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            (self.home / "deploy.log").write_text(done.stdout, encoding="utf-8")
            last = next((line.strip() for line in reversed(done.stdout.splitlines()) if line.strip()), "")
            raise LocalServerError(
                f"`{' '.join(command)}` failed ({last}); its whole output is in {self.home / 'deploy.log'}."
            )

    def _start_server(self) -> None:
        port = urlsplit(self.api_url).port or DEFAULT_PORT
        if not _is_free(port):
            raise LocalServerError(
                f"Port {port} is in use by another program; stop that program, or choose another port, such as"
                f" {PORT_VARIABLE}={port + 1}."
            )
        self.server.start(["prefect", "server", "start"], self.environment, self.project, self.api_url)

    def _await_health(self) -> None:
        started = time.monotonic()
        told = False
        while not self.answers():
            if self.server.record is None:
                raise LocalServerError(
                    f"The Prefect server ended while it started ({self.server.last_words()}); see"
                    f" {self.server.log_path}."
                )
            if time.monotonic() - started > START_SECONDS:
                raise LocalServerError(
                    f"The Prefect server does not answer at {self.api_url} after {START_SECONDS:.0f} s; see"
                    f" {self.server.log_path}, or stop it with `dragon server stop`."
                )
            if not told:
                self.say(f"Waiting for the Prefect server at {self.ui_url} (its first start takes 10 to 30 s) ...")
                told = True
            time.sleep(POLL_SECONDS)

    def _create_work_pool(self) -> None:
        from prefect.client.schemas.actions import WorkPoolCreate
        from prefect.exceptions import ObjectAlreadyExists
        from prefect.workers.process import ProcessWorker

        template = ProcessWorker.get_default_base_job_template()
        pool = WorkPoolCreate(
            name=WORK_POOL,
            type=ProcessWorker.type,
            base_job_template=template,
            description="Runs flows as processes of this machine.",
        )
        with self.client() as client:
            try:
                client.create_work_pool(pool)
            except ObjectAlreadyExists:
                return

    def _skip_missed_schedules(self) -> None:
        """Drop scheduled runs whose time came while no worker ran: they would all start now, beside what is wanted."""
        from prefect.client.schemas.filters import (
            FlowRunFilter,
            FlowRunFilterNextScheduledStartTime,
            FlowRunFilterState,
            FlowRunFilterStateType,
        )
        from prefect.client.schemas.objects import StateType

        missed = FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
            next_scheduled_start_time=FlowRunFilterNextScheduledStartTime(before_=datetime.now(UTC)),
        )
        with self.client() as client:
            for run in client.read_flow_runs(flow_run_filter=missed):
                if run.auto_scheduled:
                    client.delete_flow_run(run.id)


def _wanted_api_url(environment: Mapping[str, str]) -> str | None:
    if port := environment.get(PORT_VARIABLE):
        if not (port.isdecimal() and 0 < int(port) < 65536):
            raise LocalServerError(f"{PORT_VARIABLE}={port} is no port; give a number from 1 to 65535.")
        return f"http://127.0.0.1:{int(port)}/api"
    url = environment.get("PREFECT_API_URL")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.hostname not in LOOPBACK:
        raise LocalServerError(
            f"PREFECT_API_URL={url} names a server that is not on this machine; unset it, or set"
            f" {PORT_VARIABLE}={DEFAULT_PORT}, to use a local one."
        )
    return f"http://127.0.0.1:{parts.port or DEFAULT_PORT}/api"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # A port whose last connections are only fading out can be bound by a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
