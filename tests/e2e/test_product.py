"""The product's own pipelines through the real server and worker, on a small dictionary."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from dragon_core.artifacts import ArtifactStore
from flows.demo import summary_of
from flows.local_server import LocalServer
from tests.flows.running import User
from tests.graph.dictionary import write_dictionary

pytestmark = pytest.mark.e2e

PARAMETERS = {
    "corpus": {"holdout_share": 0.2, "segments_per_shard": 1, "words_per_segment": 16},
    "training": {
        "steps": 30,
        "warmup_steps": 2,
        "batch_size": 4,
        "checkpoint_interval": 3,
        "node_size": 16,
        "interaction_size": 16,
        "num_threads": 1,
    },
    "questions": {"train": 30, "dev": 10, "test": 20},
    "finetuning": {"epochs": 1},
}
RUN_FLOW = "import json, sys; from flows.pretrain import pretrain; pretrain(**json.loads(sys.argv[1]))"


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dictionary(tmp_path_factory.mktemp("dictionary"))


@pytest.fixture
def server(product: User, monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    monkeypatch.setenv("DRAGON_PREFECT_PORT", str(product.port))
    return LocalServer(product.folder, say=lambda line: None)


def deploy_and_run(product: User, dictionary: Path, store: Path) -> str:
    """Run `pretrain-general` through the worker, and give the flow run's id."""
    done = product.run(
        *("prefect", "deployment", "run", "pretrain-general", "--watch"),
        *("--params", json.dumps(PARAMETERS | {"store": str(store)})),
        *("--job-variable", f"env={json.dumps({'WORDNET_DIR': str(dictionary), 'OMP_NUM_THREADS': '1'})}"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(line.split()[-1] for line in done.stdout.splitlines() if "UUID" in line)


def test_pretrain_general_completes_and_a_rerun_is_cached(
    product: User, dictionary: Path, server: LocalServer, tmp_path: Path
) -> None:
    first = deploy_and_run(product, dictionary, tmp_path / "store")
    again = deploy_and_run(product, dictionary, tmp_path / "store")
    with server.client() as client:
        for run_id, expected in ((first, "Completed"), (again, "Cached")):
            of_run = FlowRunFilter(id=FlowRunFilterId(any_=[uuid.UUID(run_id)]))
            tasks = client.read_task_runs(flow_run_filter=of_run)
            stages = {task.name: task.state_name for task in tasks if "/" in task.name}
            assert len(stages) == 12
            assert set(stages.values()) == {expected}
            summary = summary_of(client, uuid.UUID(run_id))
            assert summary is not None
            for part in ("| segments", "| mentions", "masked LM, loss, before -> after", "questions, DRAGON", "chance"):
                assert part in summary


def test_a_run_killed_while_linking_and_while_training_ends_with_the_same_bytes(
    product: User, dictionary: Path, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    flow = Flow(product, dictionary, whole)
    assert flow.start().wait() == 0
    flow = Flow(product, dictionary, killed)
    flow.kill_when(lambda: list(killed.glob("mentions/*/.shards/*.json")))
    assert not list(killed.glob("mentions/*/manifest.json"))
    flow.kill_when(lambda: list(killed.glob("checkpoint/*/.scratch/**/step-*.json")))
    assert not list(killed.glob("checkpoint/*/manifest.json"))
    assert flow.start().wait() == 0
    for stage in ("corpus", "mentions", "subgraphs", "checkpoint"):
        digests = {ArtifactStore(str(store)).resolve(f"{stage}/latest").manifest.digest for store in (whole, killed)}
        assert len(digests) == 1, stage


class Flow:
    """The flow `pretrain` as a process of its own."""

    def __init__(self, product: User, dictionary: Path, store: Path) -> None:
        self._product = product
        self._environment = product.environment | {"WORDNET_DIR": str(dictionary)}
        self._parameters = json.dumps(PARAMETERS | {"store": str(store)})

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", RUN_FLOW, self._parameters]
        return subprocess.Popen(
            command, cwd=self._product.folder, env=self._environment, start_new_session=True, stderr=subprocess.DEVNULL
        )

    def kill_when(self, happened: Callable[[], object]) -> None:
        """Start it, and kill it and its children with -9 as soon as something has happened."""
        process = self.start()
        deadline = time.monotonic() + 240
        while not happened():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
