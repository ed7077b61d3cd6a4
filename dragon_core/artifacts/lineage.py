"""What was made from what, and which artifacts nobody needs any more."""

from collections.abc import Iterator
from dataclasses import dataclass

from dragon_core.artifacts.errors import ArtifactNotFoundError
from dragon_core.artifacts.identity import ArtifactReference
from dragon_core.artifacts.manifest import InputRecord
from dragon_core.artifacts.stage import Stage
from dragon_core.artifacts.store import Artifact, ArtifactStore


@dataclass(frozen=True)
class Ancestor:
    """One line of a lineage.

    Attributes:
        depth: Steps from the artifact that was asked about.
        role: Name of the input field it fills.
        record: What it is.
        artifact: The artifact; None for external files and for artifacts the store has lost.
        repeated: Whether it was listed before; what it was made from is not listed again.
    """

    depth: int
    role: str
    record: InputRecord
    artifact: Artifact | None
    repeated: bool = False

    @property
    def name(self) -> str:
        """Its reference, or the path and digest of external files."""
        if self.record.reference is None:
            return f"{self.record.path} ({self.identity})"
        return self.identity if self.artifact is not None else f"{self.identity} (no longer in the store)"

    @property
    def identity(self) -> str:
        """What it is, wherever it lies: its reference, or the digest of external files."""
        reference, digest = self.record.reference, self.record.digest
        return f"sha256 {digest[:12]}" if reference is None else str(reference)


def lineage(store: ArtifactStore, artifact: Artifact) -> Iterator[Ancestor]:
    """The artifact and all it was made from, depth first; an artifact that was used twice is listed twice."""
    record = InputRecord(digest=artifact.manifest.digest, reference=artifact.reference)
    yield from _lineage(store, record, 0, "", set())


def ancestry(store: ArtifactStore, stage: Stage) -> Iterator[Ancestor]:
    """All that a stage's artifact is made from, likewise; the stage's own inputs have depth 1."""
    listed: set[ArtifactReference] = set()
    for role, record in store.input_records(stage).items():
        yield from _lineage(store, record, 1, role, listed)


def _lineage(
    store: ArtifactStore, record: InputRecord, depth: int, role: str, listed: set[ArtifactReference]
) -> Iterator[Ancestor]:
    artifact = _found(store, record)
    repeated = record.reference in listed
    yield Ancestor(depth, role, record, artifact, repeated)
    if artifact is None or repeated:
        return
    listed.add(artifact.reference)
    for name, of_input in artifact.manifest.inputs.items():
        yield from _lineage(store, of_input, depth + 1, name, listed)


def _found(store: ArtifactStore, record: InputRecord) -> Artifact | None:
    try:
        return None if record.reference is None else store.get(record.reference)
    except ArtifactNotFoundError:
        return None


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
