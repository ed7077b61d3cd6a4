"""One real server with one worker for all end-to-end tests, reached as a user reaches it."""

import shutil
from collections.abc import Iterator

import pytest

from tests.flows.projects import PIPELINES, REPOSITORY, write_project
from tests.flows.running import User, free_port

MORE_DEPLOYMENTS = """\
  - name: twice
    entrypoint: steps/stages.py:rehearse
    work_pool: {name: dragon}
  - name: twice
    entrypoint: steps/stages.py:evaluate
    work_pool: {name: dragon}
  - name: often
    entrypoint: steps/stages.py:rehearse
    schedules:
      - interval: 600
    work_pool: {name: dragon}
"""


@pytest.fixture(scope="package")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """In a project of small flows, deployed, with the server and the worker running."""
    home = tmp_path_factory.mktemp("home")
    folder = write_project(tmp_path_factory.mktemp("project"), PIPELINES + MORE_DEPLOYMENTS)
    user = User(folder, home, free_port())
    for command in (["dragon", "check"], ["dragon", "server", "start"], DEPLOY):
        done = user.run(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    yield user
    user.run("dragon", "server", "stop")


@pytest.fixture(scope="package")
def product(user: User, tmp_path_factory: pytest.TempPathFactory) -> User:
    """In a copy of the product itself, whose pipelines are deployed to the same server."""
    folder = tmp_path_factory.mktemp("product")
    for name in ("prefect.toml", "pipelines.yaml"):
        shutil.copy(REPOSITORY / name, folder)
    shutil.copytree(REPOSITORY / "flows", folder / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".dragon" / "prefect").mkdir(parents=True)
    owner = User(folder, user.home, user.port)
    done = owner.run(*DEPLOY)
    assert done.returncode == 0, done.stdout + done.stderr
    return owner


DEPLOY = ["prefect", "--no-prompt", "deploy", "--prefect-file", "pipelines.yaml", "--all"]
