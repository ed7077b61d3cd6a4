"""Runs a stage: makes the shards that are missing, finishes, and commits."""

import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from pydantic import ValidationError

from dragon_core.artifacts.draft import REJECTS_NAME, Draft, Shard, rejects_table
from dragon_core.artifacts.errors import ArtifactNotFoundError
from dragon_core.artifacts.exclusion import only_one
from dragon_core.artifacts.folder import Folder
from dragon_core.artifacts.manifest import MANIFEST_NAME, Manifest, ShardRecord, package_versions
from dragon_core.artifacts.progress import Progress, silent
from dragon_core.artifacts.stage import Stage
from dragon_core.artifacts.store import Artifact, ArtifactStore

logger = logging.getLogger(__name__)

SHARD_RECORDS = ".shards"


def make(stage: Stage, store: ArtifactStore, progress: Progress = silent) -> Artifact:
    """Give the stage's artifact: the one in the store if it is sound, else a new one.

    Args:
        stage: What to make; its input artifacts must be in the store.
        store: Where to look and where to write.
        progress: Told of shards done, or of what the stage's `finish` reports.

    Raises:
        ArtifactNotFoundError: An input is not in the store.
    """
    found = store.find(stage)
    if found is not None:
        return found
    make_shards(stage, store, begin(stage, store), progress)
    return commit(stage, store, progress)


def begin(stage: Stage, store: ArtifactStore) -> list[str]:
    """Clear away a damaged artifact of the same key, and name the shards that are still to be made.

    Raises:
        ArtifactBusyError: Another process finishes the artifact, for longer than the stage waits.
    """
    folder = store.folder(stage.reference)
    with only_one(store.lock(stage.reference), str(stage.reference), stage.patience):
        if _is_committed(folder):
            # Another process may have made it since it was looked for.
            if store.find(stage) is not None:
                return []
            folder.delete()
    digests = _input_digests(stage, store)
    return [name for name in stage.shards(store.inputs(stage)) if _shard_record(folder, name, digests) is None]


def make_shards(stage: Stage, store: ArtifactStore, names: Sequence[str], progress: Progress = silent) -> None:
    """Make and commit the named shards, one after another.

    Those that are committed already are left alone, and all if another process committed the artifact meanwhile.
    """
    folder = store.folder(stage.reference)
    digests = _input_digests(stage, store)

    def pending() -> Iterator[Shard]:
        for done, name in enumerate(names):
            if _is_committed(folder):
                return
            if _shard_record(folder, name, digests) is None:
                started = time.perf_counter()
                shard = Shard(folder, name)
                yield shard
                _commit_shard(folder, shard, digests, time.perf_counter() - started)
            progress(done + 1, len(names))

    if names:
        stage.make_shards(store.inputs(stage), pending())


def commit(stage: Stage, store: ArtifactStore, progress: Progress = silent) -> Artifact:
    """Finish the stage once all its shards are committed, and write the manifest.

    One process at a time does so; one that had to wait for another gives what that one made.

    Raises:
        ArtifactNotFoundError: A shard is missing.
        ArtifactBusyError: Another process makes it, for longer than the stage waits.
    """
    with only_one(store.lock(stage.reference), str(stage.reference), stage.patience):
        made = store.find(stage) or _commit(stage, store, progress)
        (made.store_folder / SHARD_RECORDS).delete()
        shutil.rmtree(store.scratch(stage.reference))
    return made


def _commit(stage: Stage, store: ArtifactStore, progress: Progress) -> Artifact:
    started = time.perf_counter()
    folder = store.folder(stage.reference)
    inputs = store.inputs(stage)
    digests = _input_digests(stage, store)
    shards: list[ShardRecord] = []
    for name in stage.shards(inputs):
        record = _shard_record(folder, name, digests)
        if record is None:
            raise ArtifactNotFoundError(
                f"Shard {name} of {stage.reference} is missing; run the stage again to make it."
            )
        shards.append(record)
    draft = Draft(folder, shards)
    stage.finish(inputs, draft, progress)
    if draft.rejects:
        draft.write_table(REJECTS_NAME, rejects_table(draft.rejects))
        source, number, reason = draft.rejects[0]
        logger.warning(
            "%s: %d records were rejected, the first of them record %s of %s: %s. All are told in %s.",
            stage.reference,
            len(draft.rejects),
            number,
            source,
            reason,
            f"{folder.path}/{REJECTS_NAME}",
        )
    manifest = Manifest(
        stage=stage.name,
        version=stage.version,
        key=stage.reference.key,
        params=stage.params.model_dump(mode="json"),
        inputs=store.input_records(stage),
        files=sorted(draft.files, key=lambda file: file.name),
        counts=dict(draft.counts) | {"rejects": len(draft.rejects)},
        packages=package_versions(),
        created=datetime.now(UTC),
        seconds=sum(record.seconds for record in shards) + time.perf_counter() - started,
        for_comparison=stage.for_comparison,
    )
    folder.write(MANIFEST_NAME, manifest.model_dump_json(indent=2))
    return Artifact(folder, manifest)


def _is_committed(folder: Folder) -> bool:
    return folder.size(MANIFEST_NAME) is not None


def _input_digests(stage: Stage, store: ArtifactStore) -> dict[str, str]:
    return {name: record.digest for name, record in store.input_records(stage).items()}


def _commit_shard(folder: Folder, shard: Shard, digests: dict[str, str], seconds: float) -> None:
    record = ShardRecord(
        inputs=digests, files=shard.files, counts=dict(shard.counts), rejects=shard.rejects, seconds=seconds
    )
    folder.write(f"{SHARD_RECORDS}/{shard.name}.json", record.model_dump_json())


def _shard_record(folder: Folder, name: str, digests: dict[str, str]) -> ShardRecord | None:
    text = folder.read(f"{SHARD_RECORDS}/{name}.json")
    if text is None:
        return None
    try:
        record = ShardRecord.model_validate_json(text)
    except ValidationError:
        return None
    sound = record.inputs == digests and all(folder.is_intact(file, checksum=False) for file in record.files)
    return record if sound else None
