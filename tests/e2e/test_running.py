"""Runs through the real worker: what a user sees of them, and that schedules start them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.exceptions import ObjectNotFound

from flows.demo import RunFailedError, run_demo, summary_of
from flows.local_server import LocalServer
from flows.run_watching import RunWatcher, cause_of
from tests.flows.running import User, eventually

pytestmark = pytest.mark.e2e


def named(deployment: str) -> DeploymentFilter:
    return DeploymentFilter(name=DeploymentFilterName(any_=[deployment]))


@contextmanager
def scheduled(client: SyncPrefectClient, deployment_id: UUID) -> Iterator[None]:
    """Let a deployment be run soon, and then so seldom that a slow machine has done one run before the next."""
    soon = datetime.now(UTC) + timedelta(seconds=5)
    client.create_deployment_schedules(deployment_id, [(IntervalSchedule(interval=30, anchor_date=soon), True)])  # type: ignore[arg-type]
    try:
        yield
    finally:
        for schedule in client.read_deployment_schedules(deployment_id):
            client.delete_deployment_schedule(deployment_id, schedule.id)


@pytest.fixture
def server(user: User, monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    monkeypatch.setenv("DRAGON_PREFECT_PORT", str(user.port))
    return LocalServer(user.folder, say=lambda line: None)


def test_the_demo_shows_progress_and_prints_the_result(user: User, server: LocalServer) -> None:
    lines: list[str] = []
    server.say = lines.append
    run_demo(server, "rehearse/rehearse-general")
    text = "\n".join(lines)
    assert "] step 3 of 3\n" in text
    assert "\n| segments |\n| ---: |\n| 12 |\n" in text
    assert f"http://127.0.0.1:{user.port}/runs/flow-run/" in lines[-2]
    assert lines[-1].endswith(f"export PREFECT_API_URL=http://127.0.0.1:{user.port}/api")
    assert "Finished in state" not in text


def test_a_failed_run_is_told_in_the_words_of_its_error(user: User, server: LocalServer) -> None:
    with server.client() as client:
        deployment = client.read_deployment_by_name("rehearse/rehearse-general")
        run = client.create_flow_run_from_deployment(deployment.id, parameters={"fail": True})
        lines: list[str] = []
        ended = RunWatcher(client, run.id).follow(lines.append, lambda: None)
        assert ended.state is not None
        assert ended.state.is_failed()
        assert cause_of(ended.state) == "The encoder nowhere is not there; install one."
        assert not any("Traceback" in line for line in lines)
        assert summary_of(client, run.id) is None


def test_the_demo_ends_with_one_sentence_if_its_run_fails(user: User, server: LocalServer) -> None:
    file = user.folder / "pipelines.yaml"
    sound = file.read_text()
    file.write_text(sound.replace("    parameters:\n", "    parameters:\n      fail: true\n", 1))
    try:
        with pytest.raises(RunFailedError, match=r"^The encoder nowhere is not there; install one\. \(The run "):
            run_demo(server, "rehearse/rehearse-general")
    finally:
        file.write_text(sound)
        server.deploy()


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"training": {"steps": 101}}, "101 is greater than the maximum of 100"),
        ({"training": {"stepz": 1}}, "'stepz' was unexpected"),
        ({"store_url": "x"}, "parameters were specified but not found on the deployment: 'store_url'"),
    ],
)
def test_bad_values_are_refused_before_anything_runs(user: User, parameters: dict[str, object], sentence: str) -> None:
    done = user.run("prefect", "deployment", "run", "rehearse-general", "--params", json.dumps(parameters))
    assert done.returncode == 1
    assert sentence in done.stdout + done.stderr
    assert "Created flow run" not in done.stdout


def test_a_scheduled_run_starts(user: User, server: LocalServer) -> None:
    """Some versions of what Prefect's server hangs on let it start but never schedule: the error is only in its log."""

    with server.client() as client:
        deployment = client.read_deployment_by_name("rehearse/often")
        with scheduled(client, deployment.id):
            started = eventually(
                lambda: [
                    run.id
                    for run in client.read_flow_runs(deployment_filter=named("often"), limit=200)
                    if run.auto_scheduled and run.start_time is not None
                ]
            )
    assert started


def test_runs_missed_while_no_worker_ran_are_skipped_but_not_those_asked_for(user: User, server: LocalServer) -> None:

    with server.client() as client:
        assert server.worker.stop()
        deployment = client.read_deployment_by_name("rehearse/often")
        with scheduled(client, deployment.id):
            asked_for = client.create_flow_run_from_deployment(deployment.id)
            missed = eventually(
                lambda: [
                    run.id
                    for run in client.read_flow_runs(deployment_filter=named("often"), limit=200)
                    if run.auto_scheduled and run.expected_start_time and run.expected_start_time < datetime.now(UTC)
                    # One that the stopped worker had taken already is not missed, but lost with it.
                    if run.state is not None and run.state.is_scheduled()
                ]
            )
            assert missed
            assert user.run("dragon", "server", "start").returncode == 0
        for run_id in missed:
            with pytest.raises(ObjectNotFound):
                client.read_flow_run(run_id)
        ended = RunWatcher(client, asked_for.id).follow(lambda line: None, lambda: None)
        assert ended.state is not None
        assert ended.state.is_completed()
