"""A real server and worker, started and stopped by the `dragon` program."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from flows.background_process import BackgroundProcess
from flows.local_server import LocalServer, LocalServerError
from tests.flows.projects import write_project
from tests.flows.running import User, free_port


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    home = tmp_path / "home"
    home.mkdir()
    user = User(write_project(tmp_path / "project"), home, free_port())
    yield user
    user.run("dragon", "server", "stop")


def record(user: User, name: str) -> dict[str, object]:
    content: dict[str, object] = json.loads((user.folder / ".dragon" / "prefect" / f"{name}.json").read_text())
    return content


@pytest.mark.e2e
def test_a_server_is_started_once_outlives_its_shell_and_is_stopped(user: User) -> None:
    status = user.run("dragon", "server", "status")
    assert (status.returncode, "not running" in status.stdout) == (1, True)

    started = user.run("dragon", "server", "start")
    assert started.returncode == 0, started.stderr
    assert f"Waiting for the Prefect server at http://127.0.0.1:{user.port}" in started.stdout
    assert user.run("dragon", "server", "status").returncode == 0
    pids = [int(str(record(user, name)["pid"])) for name in ("server", "worker")]
    addresses = {c.laddr.ip for c in psutil.Process(pids[0]).net_connections() if c.status == psutil.CONN_LISTEN}
    assert addresses == {"127.0.0.1"}
    assert all(os.getsid(pid) == pid for pid in pids)
    assert (user.folder / ".dragon" / "prefect" / "prefect.db").is_file()
    assert list(user.home.iterdir()) == []

    again = user.run("dragon", "server", "start")
    assert again.returncode == 0
    assert "Waiting" not in again.stdout
    assert [record(user, name)["pid"] for name in ("server", "worker")] == pids

    elsewhere = user.run("dragon", "server", "start", DRAGON_PREFECT_PORT=str(free_port()))
    assert (elsewhere.returncode, elsewhere.stderr.count("\n")) == (1, 1)
    assert "stop it first with `dragon server stop`" in elsewhere.stderr

    # Without the variable, the port at which the project's server runs is found again.
    found = user.run("dragon", "server", "status", DRAGON_PREFECT_PORT="", PREFECT_API_URL="")
    assert (found.returncode, f":{user.port}/" in found.stdout) == (0, True)

    assert user.run("dragon", "server", "stop").stdout == "Stopped: worker, server.\n"
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)
    assert user.run("dragon", "server", "stop").stdout == "Nothing of this project was running.\n"


def test_a_port_in_use_is_one_sentence(user: User) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", user.port))
        other.listen()
        started = user.run("dragon", "server", "start")
    assert started.returncode == 1
    assert started.stderr == (
        f"Port {user.port} is in use by another program; stop that program, or choose another port, such as"
        f" DRAGON_PREFECT_PORT={user.port + 1}.\n"
    )


def test_a_process_that_has_the_id_by_chance_is_left_alone(tmp_path: Path) -> None:
    this = psutil.Process()
    process = BackgroundProcess(tmp_path, "server")
    record = {"pid": this.pid, "created": this.create_time() - 1, "api_url": "http://127.0.0.1:4200/api"}
    process.record_path.write_text(json.dumps(record))
    assert process.record is None
    assert process.stop() is False
    assert not process.record_path.exists()


def test_a_process_that_ends_at_once_is_told_by_its_last_words(tmp_path: Path) -> None:
    process = BackgroundProcess(tmp_path, "worker")
    process.start(["no_such_module"], os.environ, tmp_path, "http://127.0.0.1:4200/api")
    started = json.loads(process.record_path.read_text())["pid"]
    os.waitpid(started, 0)
    assert process.record is None
    assert "No module named no_such_module" in process.last_words()


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "http://127.0.0.1:4200/api"),
        ({"DRAGON_PREFECT_PORT": "4999"}, "http://127.0.0.1:4999/api"),
        ({"PREFECT_API_URL": "http://localhost:4888/api"}, "http://127.0.0.1:4888/api"),
        ({"DRAGON_PREFECT_PORT": "4999", "PREFECT_API_URL": "https://example.org/api"}, "http://127.0.0.1:4999/api"),
    ],
)
def test_the_address_is_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str
) -> None:
    for name in ("DRAGON_PREFECT_PORT", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    server = LocalServer(tmp_path)
    assert server.api_url == url
    assert server.environment["PREFECT_API_URL"] == url
    assert f":{server.environment['PREFECT_SERVER_API_PORT']}/" in url


@pytest.mark.parametrize(
    ("name", "value"), [("DRAGON_PREFECT_PORT", "many"), ("PREFECT_API_URL", "https://example.org/api")]
)
def test_an_address_that_cannot_be_ours_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.delenv("DRAGON_PREFECT_PORT", raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(LocalServerError, match=f"{name}={value}"):
        _ = LocalServer(tmp_path).api_url


def test_the_users_own_prefect_settings_do_not_reach_our_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "secret")
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "postgresql+asyncpg://elsewhere/prefect")
    monkeypatch.setenv("PREFECT_PROFILE", "mine")
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    environment = LocalServer(tmp_path).environment
    assert environment["PREFECT_LOGGING_LEVEL"] == "DEBUG"
    assert environment["PREFECT_HOME"] == str(tmp_path / ".dragon" / "prefect")
    assert not {"PREFECT_API_KEY", "PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_PROFILE"} & environment.keys()
