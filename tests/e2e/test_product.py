"""The product's own pipeline, killed, on a small dictionary."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.states import Cancelling

from dragon_core.artifacts import ArtifactStore
from flows.run_watching import RunWatcher
from tests.e2e.parameters import PARAMETERS
from tests.flows.running import User, eventually
from tests.graph.wordnet.dictionary import write_dictionary

# Pipelines run several times over: how fast is no test's business.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

RUN_FLOW = "import json, sys; from flows.pretrain import pretrain; pretrain(**json.loads(sys.argv[1]))"


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dictionary(tmp_path_factory.mktemp("dictionary"))


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


def test_a_cancelled_run_ends_the_process_that_trains(product: User, dictionary: Path, tmp_path: Path) -> None:
    parameters = PARAMETERS | {"training": PARAMETERS["training"] | {"steps": 3000}, "store": str(tmp_path)}
    with SyncPrefectClient(api=f"http://127.0.0.1:{product.port}/api") as client:
        deployment = client.read_deployment_by_name("pretrain/pretrain-general")
        run = client.create_flow_run_from_deployment(
            deployment.id, parameters=parameters, job_variables={"env": {"WORDNET_DIR": str(dictionary)}}
        )
        assert eventually(lambda: list(tmp_path.glob("checkpoint/*/.scratch/**/step-*.json")), seconds=600)
        assert processes_with(str(tmp_path))
        client.set_flow_run_state(run.id, Cancelling(), force=False)
        assert not eventually(lambda: processes_with(str(tmp_path)), lambda found: not found)
        ended = RunWatcher(client, run.id).follow(lambda line: None, lambda: None)
    assert ended.state is not None
    assert ended.state.is_cancelled()
    assert not list(tmp_path.glob("checkpoint/*/manifest.json"))


def processes_with(argument: str) -> list[psutil.Process]:
    """Processes one of whose arguments begins so."""
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if any(a.startswith(argument) for a in process.info["cmdline"] or [])]


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
        deadline = time.monotonic() + 600
        while not happened():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
