"""What was made from what, and which artifacts nobody needs any more."""

from collections.abc import Iterator
from dataclasses import dataclass

from dragon_core.artifacts.errors import ArtifactNotFoundError
from dragon_core.artifacts.identity import ArtifactReference
from dragon_core.artifacts.stage import Inputs, Stage
from dragon_core.artifacts.store import Artifact, ArtifactStore


@dataclass(frozen=True)
class Ancestor:
    """One line of a lineage.

    Attributes:
        depth: Steps from the artifact that was asked about.
        role: Name of the input field it fills.
        name: Its reference, or the path and digest of external files.
        artifact: The artifact; None for external files and for artifacts the store has lost.
        repeated: Whether it was listed before; what it was made from is not listed again.
    """

    depth: int
    role: str
    name: str
    artifact: Artifact | None
    repeated: bool = False


def lineage(store: ArtifactStore, artifact: Artifact) -> Iterator[Ancestor]:
    """The artifact and all it was made from, depth first; an artifact that was used twice is listed twice."""
    yield from _lineage(store, artifact, 0, "", set())


def ancestry(inputs: Inputs, stage: Stage) -> Iterator[Ancestor]:
    """All that a stage's artifact is made from, likewise; the stage's own inputs have depth 1."""
    listed: set[ArtifactReference] = set()
    for role in stage.artifacts:
        yield from _lineage(inputs.store, getattr(inputs, role), 1, role, listed)
    for role, files in stage.external.items():
        yield Ancestor(1, role, f"{files.path} (sha256 {files.digest[:12]})", None)


def _lineage(
    store: ArtifactStore, artifact: Artifact, depth: int, role: str, listed: set[ArtifactReference]
) -> Iterator[Ancestor]:
    repeated = artifact.reference in listed
    yield Ancestor(depth, role, str(artifact.reference), artifact, repeated)
    if repeated:
        return
    listed.add(artifact.reference)
    for name, record in artifact.manifest.inputs.items():
        if record.reference is None:
            yield Ancestor(depth + 1, name, f"{record.path} (sha256 {record.digest[:12]})", None)
            continue
        try:
            yield from _lineage(store, store.get(record.reference), depth + 1, name, listed)
        except ArtifactNotFoundError:
            yield Ancestor(depth + 1, name, f"{record.reference} (no longer in the store)", None)


def unneeded(store: ArtifactStore, keep: int) -> list[ArtifactReference]:
    """References that garbage collection would delete.

    Needed are the `keep` newest artifacts of each stage and all they were made from; the rest, and drafts that were
    never committed, are not. Do not collect while a flow is running: its draft looks like an abandoned one.

    Args:
        store: The store.
        keep: How many artifacts of each stage to keep for their own sake, at least 1.
    """
    needed: set[ArtifactReference] = set()
    artifacts = list(store.artifacts())
    for stage in store.stages():
        of_stage = [artifact for artifact in artifacts if artifact.reference.stage == stage]
        newest = sorted(of_stage, key=lambda artifact: artifact.manifest.created, reverse=True)[:keep]
        for artifact in newest:
            needed.update(a.artifact.reference for a in lineage(store, artifact) if a.artifact is not None)
    return [a.reference for a in artifacts if a.reference not in needed] + list(store.drafts())


def collect_garbage(store: ArtifactStore, keep: int) -> list[ArtifactReference]:
    """Delete what `unneeded` names, and say what was deleted."""
    references = unneeded(store, keep)
    for reference in references:
        store.folder(reference).delete()
    return references
