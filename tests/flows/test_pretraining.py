"""Pretraining as a flow does it: by a real process, with a real Prefect server."""

import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.sorting import LogSort
from prefect.settings import PREFECT_API_URL

from dragon_core.artifacts import ArtifactStore
from flows.run_watching import cause_of
from tests.flows.pretraining import pretrain_alone
from tests.flows.projects import REPOSITORY
from tests.flows.running import eventually
from tests.training.encoders import write_encoder
from tests.training.stages import pretrain_stage

pytestmark = pytest.mark.usefixtures("prefect_server")

WORKER = r"^Process (\d+) pretrains \(1 of 1, threads: 1\)$"
PROGRESS = r"^checkpoint: (\d+) of \d+, loss "


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "store"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def numbers_in_log(run_id: str, pattern: str) -> list[int]:
    """The number in each line of a run's log that fits, once there is one."""
    of_run = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[uuid.UUID(run_id)]))
    with get_client(sync_client=True) as client:

        def fitting() -> list[int]:
            lines = client.read_logs(of_run, limit=200, sort=LogSort.TIMESTAMP_ASC)
            return [int(found[1]) for line in lines if (found := re.search(pattern, line.message))]

        return eventually(fitting)


def test_it_is_another_process_that_trains_and_the_run_shows_how_far_it_is(store: ArtifactStore, encoder: Path) -> None:
    stage = pretrain_stage(store, encoder)
    run_id = pretrain_alone(stage, store.url)
    assert store.find(stage) is not None
    (worker,) = numbers_in_log(run_id, WORKER)
    assert worker != os.getpid()
    assert not psutil.pid_exists(worker)
    assert numbers_in_log(run_id, PROGRESS)[-1] == stage.params.steps
    with get_client(sync_client=True) as client:
        (bar,) = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["pretraining"])),
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[uuid.UUID(run_id)])),
        )
    assert (bar.type, bar.data) == ("progress", 100)
    assert re.fullmatch(r"12 of 12, loss .+, mlm loss .+, link loss .+, examples per second .+", bar.description or "")
    assert bar.task_run_id is not None


def test_the_sentence_of_its_failure_is_that_of_the_run(store: ArtifactStore, encoder: Path) -> None:
    stage = pretrain_stage(store, encoder)
    table = store.get(stage.entity_table).path("entities.npy")
    np.save(table, np.full_like(np.load(table), np.inf))
    state = pretrain_alone(stage, store.url, return_state=True)
    assert state.is_failed()
    assert re.match(
        r"The loss of the evaluation after step 0 is nan \(segments \[.*\]\); try lower",
        cause_of(state),
        re.DOTALL,
    )
    assert store.find(stage) is None


def test_it_ends_with_a_run_that_is_killed_and_the_next_run_goes_on(
    store: ArtifactStore, encoder: Path, tmp_path: Path
) -> None:
    stage = pretrain_stage(store, encoder, steps=400, checkpoint_interval=4, evaluation_interval=400)
    path = tmp_path / "stage.json"
    path.write_text(stage.model_dump_json())
    command = [sys.executable, "-m", "tests.flows.pretraining", str(path), store.url]
    environment = os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.DEVNULL) as run:
        assert eventually(lambda: steps_done(store), seconds=240)
        family = psutil.Process(run.pid).children(recursive=True)
        assert any("dragon_core.training.worker" in process.cmdline() for process in family)
        run.kill()
    _, left = psutil.wait_procs(family, timeout=60)
    assert not left
    done = max(steps_done(store))
    assert done < stage.params.steps
    assert numbers_in_log(pretrain_alone(stage, store.url), PROGRESS)[0] == done + 1
    assert store.find(stage) is not None


def steps_done(store: ArtifactStore) -> list[int]:
    """Steps of the unfinished run's checkpoints."""
    return [int(path.stem.split("-")[1]) for path in Path(store.url).glob("checkpoint/*/.scratch/*/checkpoints/*.json")]
