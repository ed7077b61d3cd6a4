import uuid
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, FlowRunFilter, FlowRunFilterId
from prefect.runtime import flow_run

from dragon_core.artifacts import ArtifactStore
from flows.stage_runner import run_stage
from tests.artifacts.stages import Numbers, NumbersParams, Total
from tests.flows.running import eventually

pytestmark = pytest.mark.usefixtures("prefect_server")


@flow
def numbers_and_total(store_url: str, shard_count: int) -> str:
    numbers = run_stage(Numbers(params=NumbersParams(shard_count=shard_count)), store_url)
    run_stage(Total(numbers=numbers), store_url)
    return str(flow_run.get_id())


def task_states(run_id: str, count: int) -> dict[str, list[str]]:
    """State names of a flow run's tasks, by the stage they belong to, once the server knows of so many."""
    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[uuid.UUID(run_id)]))
    with get_client(sync_client=True) as client:
        runs = eventually(
            lambda: client.read_task_runs(flow_run_filter=of_run),
            lambda runs: len(runs) >= count and all(r.state is not None and r.state.is_final() for r in runs),
        )
    states: dict[str, list[str]] = {}
    for run in sorted(runs, key=lambda run: run.name):
        states.setdefault(run.name.split("/")[0].split(" ")[0], []).append(run.state_name or "")
    return states


def test_a_rerun_is_cached_and_a_damaged_artifact_is_made_again_alone(tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    assert task_states(numbers_and_total(url, 3), 3) == {"numbers": ["Completed"] * 2, "total": ["Completed"]}
    assert task_states(numbers_and_total(url, 3), 2) == {"numbers": ["Cached"], "total": ["Cached"]}
    numbers = ArtifactStore(url).get(Numbers().reference)
    numbers.path("part-00001.parquet").unlink()
    assert task_states(numbers_and_total(url, 3), 3) == {"numbers": ["Completed"] * 2, "total": ["Cached"]}
    assert task_states(numbers_and_total(url, 3), 2) == {"numbers": ["Cached"], "total": ["Cached"]}


def test_many_shards_become_few_tasks(tmp_path: Path) -> None:
    states = task_states(numbers_and_total(str(tmp_path / "store"), 100), 27)
    assert len(states["numbers"]) == 26
    assert ArtifactStore(str(tmp_path / "store")).resolve("numbers/latest").manifest.counts["numbers"] == 857


def test_a_stage_leaves_its_page_in_the_ui(tmp_path: Path) -> None:
    run_id = numbers_and_total(str(tmp_path / "store"), 3)
    with get_client(sync_client=True) as client:
        pages = client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["numbers"])),
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[uuid.UUID(run_id)])),
        )
    assert len(pages) == 1
    assert "| numbers | 25 |" in str(pages[0].data)
    assert "| rejects | 5 |" in str(pages[0].data)
