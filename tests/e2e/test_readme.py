"""The commands of the README, in its order, by a user with an empty home; only the installation is there already."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import TaskRun

from tests.e2e.conftest import DEPLOY
from tests.e2e.parameters import PARAMETERS
from tests.flows.projects import REPOSITORY
from tests.flows.running import User, eventually, free_port
from tests.flows.small_files import write_conceptnet, write_hpo_package, write_text
from tests.graph.wordnet.dictionary import write_dictionary

# Many commands, each of which is let wait: how fast they are is no test's business.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

COMMAND = re.compile(r"^ {4}((?:make|\.venv/bin/\S+) [^#\n]*[^#\s])", re.MULTILINE)


class ReadmeUser(User):
    """Somebody who copies commands out of the README.

    Attributes:
        typed: The commands so far.
    """

    typed: ClassVar[set[str]] = set()

    def type(self, command: str) -> str:
        """Run a command that the README shows, and give its output."""
        assert command in commands_of_readme()
        self.typed.add(command)
        return self._output(shlex.split(command))

    def python(self, lines: str) -> str:
        """Run Python that the README shows, and give its output."""
        # Through the link that stands for .venv it would not find what is installed.
        return self._output([sys.executable, "-c", lines])

    def _output(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def task_runs(self, output: str, stages: int = 1) -> list[TaskRun]:
        """The stages of the flow run that a command started, once the server knows of so many."""
        found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", output)
        assert found
        of_run = FlowRunFilter(id=FlowRunFilterId(any_=[uuid.UUID(found.group())]))
        with SyncPrefectClient(api=f"http://127.0.0.1:{self.port}/api") as client:
            return eventually(
                lambda: [task for task in client.read_task_runs(flow_run_filter=of_run) if "/" in task.name],
                lambda tasks: len(tasks) >= stages and all(t.state is not None and t.state.is_final() for t in tasks),
            )


def commands_of_readme() -> list[str]:
    return COMMAND.findall((REPOSITORY / "README.md").read_text(encoding="utf-8"))


def snippet_of_readme() -> str:
    found = re.search(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadmeUser]:
    folder = tmp_path_factory.mktemp("clone") / "dragon"
    ignored = shutil.ignore_patterns("__pycache__", ".*", "tests")
    shutil.copytree(REPOSITORY, folder, ignore=ignored)
    shutil.copy(REPOSITORY / "prefect.toml", folder)
    make_small(folder / "pipelines.yaml")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (folder / ".dragon" / "prefect").mkdir(parents=True)
    (folder / ".venv" / "installed-demo").touch()
    dictionary = write_dictionary(tmp_path_factory.mktemp("dictionary"))
    packages = tmp_path_factory.mktemp("packages")
    write_hpo_package(packages)
    search = os.pathsep.join([str(packages), *filter(None, [os.environ.get("PYTHONPATH")])])
    variables = {"WORDNET_DIR": str(dictionary), "PYTHONPATH": search}
    user = ReadmeUser(folder, tmp_path_factory.mktemp("home"), free_port(), variables)
    yield user
    user.run("dragon", "server", "stop")


def make_small(pipelines: Path) -> None:
    """Let the pipelines finish within seconds, as somebody would who tries them out."""
    file = yaml.safe_load(pipelines.read_text(encoding="utf-8"))
    for deployment in file["deployments"]:
        small = {field: PARAMETERS[field] for field in FIELDS.get(deployment["name"], [])}
        if deployment["name"] == "evaluate-general":
            small["questions"] = {"params": {"source": "generated"} | PARAMETERS["questions"]}
        deployment["parameters"] = deployment.get("parameters", {}) | small
    pipelines.write_text(yaml.safe_dump(file, sort_keys=False), encoding="utf-8")


FIELDS = {
    "pretrain-general": ["corpus", "training", "execution", "questions", "finetuning"],
    "pretrain-general-conceptnet": ["training", "execution"],
    "pretrain-biomed": ["training", "execution"],
    "evaluate-general": ["finetuning"],
    "refresh-corpus-general": ["corpus"],
}


def test_the_commands_of_the_readme(reader: ReadmeUser) -> None:
    first = reader.type("make demo")
    assert {task.state_name for task in reader.task_runs(first, 15)} == {"Completed"}
    for part in ("| segments", "| mentions", "masked LM, loss, before -> after", "questions, DRAGON", "chance"):
        assert part in first
    again = reader.type("make demo")
    assert len(reader.task_runs(again, 15)) == len(reader.task_runs(first)) == 15
    assert {task.state_name for task in reader.task_runs(again)} == {"Cached"}
    assert reader.type("make ui") == f"The Prefect UI is at http://127.0.0.1:{reader.port}\n"

    reader.type("make stop")
    assert reader.run("dragon", "server", "status").returncode == 1
    reader.type(".venv/bin/dragon server start")
    assert "is sound" in reader.type(".venv/bin/dragon check")
    for name in ("pretrain-general", "evaluate-general", "refresh-corpus-general"):
        output = reader.type(f".venv/bin/prefect deployment run {name} --watch")
        assert "Flow run finished successfully" in output
        assert {task.state_name for task in reader.task_runs(output)} == {"Cached"}
    reader.type(".venv/bin/prefect deployment run pretrain/pretrain-general")
    assert "linked spans" in reader.type('.venv/bin/dragon link "The stray dogs ran after a cat"')
    shown = reader.type(".venv/bin/dragon inspect .dragon/store/subgraphs/latest/part-00000.parquet --row 0")
    assert " edges\n" in shown
    assert "<svg" in (reader.folder / "part-00000-row-0.svg").read_text(encoding="utf-8")
    choices = "--choices dog --choices cat"
    answered = reader.type(f'.venv/bin/dragon answer "a domesticated animal that barks" {choices}')
    assert answered.splitlines()[0] in ("dog", "cat")
    reader.type(f'.venv/bin/dragon explain "a domesticated animal that barks" {choices} --out why.html')
    assert "a domesticated animal that barks" in (reader.folder / "why.html").read_text(encoding="utf-8")
    assert reader.python(snippet_of_readme()).strip() == answered.splitlines()[0]
    assert "checkpoint/" in reader.type(".venv/bin/dragon artifacts list")
    assert "entity_table: entity-table/" in reader.type(".venv/bin/dragon artifacts lineage evaluation/latest")
    assert reader.type(".venv/bin/dragon artifacts gc") == ""


def test_the_commands_that_run_other_deployments(reader: ReadmeUser) -> None:
    reader.type(".venv/bin/dragon server start")
    reader.type(f".venv/bin/{shlex.join(DEPLOY)}")
    write_conceptnet(reader.folder / "data" / "conceptnet-assertions-5.7.0.csv.gz")
    write_text(reader.folder / "data" / "books")
    for run in ("pretrain-biomed", "pretrain-general-conceptnet --param text_folder=data/books"):
        output = reader.type(f".venv/bin/prefect deployment run {run} --watch")
        assert "Flow run finished successfully" in output


def test_after_the_last_command_nothing_is_left(reader: ReadmeUser) -> None:
    reader.type("make clean-demo")
    assert not (reader.folder / ".dragon").exists()
    untyped = set(commands_of_readme()) - reader.typed
    assert untyped == {"make test"}
