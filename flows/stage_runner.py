"""Turns any stage into Prefect tasks: shards in a few groups, then one commit that shows as Cached when it is there."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, wait
from prefect.task_runners import TaskRunner

from dragon_core.artifacts import ArtifactReference, ArtifactStore, LoggedProgress, Stage, begin, make, make_shards
from dragon_core.training import Pretrain
from flows.child_processes import pretrain_in_processes
from flows.progress import ProgressBar
from flows.ui_artifacts import publish

# Self-hosted servers become unstable near 2,000 mapped tasks: shards are grouped into tens of tasks.
MAXIMUM_GROUPS = 32
# What a stage loads, it loads once for a group.
SHARDS_OF_A_GROUP = 4

# Key of the bar in the UI.
PRETRAINING_KEY = "pretraining"


@task(name="shards", cache_policy=NO_CACHE)
def make_shard_group(stage: Stage, store_url: str, names: Sequence[str]) -> None:
    """Make some shards of a stage; each is committed on its own."""
    progress = LoggedProgress(get_run_logger(), f"{stage.name} shards {names[0]} to {names[-1]}")
    make_shards(stage, ArtifactStore(store_url), names, progress)


@task(name="commit", persist_result=True, result_serializer="json")
def commit_stage(stage: Stage, store_url: str) -> ArtifactReference:
    """Make what is left of a stage's artifact and commit it; pretraining does so in processes of its own."""
    log = get_run_logger()
    if isinstance(stage, Pretrain):
        return pretrain_in_processes(stage, store_url, ProgressBar(log, stage.name, key=PRETRAINING_KEY), log)
    return make(stage, ArtifactStore(store_url), LoggedProgress(log, stage.name)).reference


def run_stage(stage: Stage, store_url: str, task_runner: TaskRunner[Any] | None = None) -> ArtifactReference:
    """Make a stage's artifact within a flow run: from the cache if it is sound, else its shards by a task runner.

    Args:
        stage: What to make; its input artifacts must be in the store.
        store_url: Where the artifacts lie.
        task_runner: A started one (`task_runners.started`); the flow's own by default.

    Returns:
        The artifact's reference.
    """
    store = ArtifactStore(store_url)
    reference = stage.reference
    sound = store.find(stage) is not None
    if not sound:
        _make_pending_shards(stage, store, task_runner)
    commit = commit_stage.with_options(
        name=stage.name,
        task_run_name=str(reference),
        cache_key_fn=lambda context, parameters: f"{reference.stage}-{reference.key}",
        # Prefect never looks whether what a cached result names still exists.
        refresh_cache=not sound,
        result_storage=results_folder(store_url),
    )
    commit(stage, store_url)
    publish(store.get(reference))
    return reference


def results_folder(store_url: str) -> Path:
    """Where Prefect keeps the small JSON results of the tasks: beside a local store, else in the Prefect home."""
    from prefect.settings import get_current_settings

    if "://" in store_url:
        return Path(get_current_settings().home) / "dragon-results"
    return Path(store_url).resolve() / ".results"


def _make_pending_shards(stage: Stage, store: ArtifactStore, task_runner: TaskRunner[Any] | None) -> None:
    names = begin(stage, store)
    if not names:
        return
    # A worker of a cluster may run in another folder.
    store_url = store.url if "://" in store.url else str(Path(store.url).resolve())
    size = max(math.ceil(len(names) / MAXIMUM_GROUPS), SHARDS_OF_A_GROUP)
    groups = [names[start : start + size] for start in range(0, len(names), size)]
    futures: list[PrefectFuture[Any]] = []
    for group in groups:
        group_task: Any = make_shard_group.with_options(
            name=f"{stage.name}-shards", task_run_name=f"{stage.name} {group[0]} ({len(group)})"
        )
        arguments = {"stage": stage, "store_url": store_url, "names": group}
        futures.append(
            group_task.submit(**arguments) if task_runner is None else task_runner.submit(group_task, arguments)
        )
    wait(futures)
    for future in futures:
        future.result()
