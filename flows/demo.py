"""The demo: from a bare project to the printed result of `pretrain-general`, through a real server and worker."""

import time
from typing import TYPE_CHECKING
from uuid import UUID

from dragon_core.errors import DragonError
from flows.local_server import PIPELINES_NAME, LocalServer
from flows.run_watching import RunWatcher, cause_of

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

DEPLOYMENT = "pretrain/pretrain-general"

# The flow leaves its summary as a Markdown artifact of this key: a page in the UI, and text for the terminal.
RESULT_KEY = "result"


class RunFailedError(DragonError):
    """A flow run did not complete."""


def run_demo(server: LocalServer, deployment: str = DEPLOYMENT) -> None:
    """Start what is needed, deploy, run the deployment, show its progress and print its result.

    Raises:
        RunFailedError: The run failed, crashed or was cancelled.
        DragonError: The pipelines' file has problems, or the server cannot be started.
    """
    from flows.pipelines_file import check_pipelines

    say = server.say
    problems = check_pipelines(server.project / PIPELINES_NAME)
    if problems:
        raise DragonError(f"{PIPELINES_NAME} has a problem, {problems[0]}; `dragon check` names them all.")
    server.start()
    say(f"The Prefect server runs at {server.ui_url}; deploying {PIPELINES_NAME} ...")
    server.deploy()
    with server.client() as client:
        found = client.read_deployment_by_name(deployment)
        run = client.create_flow_run_from_deployment(found.id)
        say(f"Running {deployment}; its page: {server.ui_url}/runs/flow-run/{run.id}")
        _follow(client, run.id, server)
        result = summary_of(client, run.id)
    say("")
    say(result or "The run completed and left no summary.")
    say("")
    say(f"Everything about this run: {server.ui_url}/runs/flow-run/{run.id} (`make ui`, `make stop`)")
    if server.hint:
        say(server.hint)


def summary_of(client: "SyncPrefectClient", run_id: UUID) -> str | None:
    """The summary a flow run left, in Markdown; None if it left none."""
    from prefect.client.schemas.filters import (
        ArtifactFilter,
        ArtifactFilterFlowRunId,
        ArtifactFilterKey,
    )
    from prefect.client.schemas.sorting import ArtifactSort

    of_run = ArtifactFilter(
        key=ArtifactFilterKey(any_=[RESULT_KEY]), flow_run_id=ArtifactFilterFlowRunId(any_=[run_id])
    )
    pages = client.read_artifacts(artifact_filter=of_run, sort=ArtifactSort.CREATED_DESC, limit=1)
    return str(pages[0].data).strip() if pages else None


def _follow(client: "SyncPrefectClient", run_id: UUID, server: LocalServer) -> None:
    started = time.monotonic()

    def report(line: str) -> None:
        seconds = int(time.monotonic() - started)
        server.say(f"[{seconds // 60:2}:{seconds % 60:02}] {line}")

    def check() -> None:
        for process in (server.worker, server.server):
            if process.record is None:
                raise RunFailedError(
                    f"The {process.name} ended while the run was going on ({process.last_words()}); see"
                    f" {process.log_path}, then run the command again: what is done is kept."
                )

    run = RunWatcher(client, run_id).follow(report, check)
    if run.state is None or not run.state.is_completed():
        name = run.state.name if run.state else "an unknown state"
        raise RunFailedError(f"{cause_of(run.state)} (The run {run.name} ended as {name}; run again to go on.)")
