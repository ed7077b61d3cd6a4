"""The artifact store: every stage's output, named by what it was made from, committed whole or not at all."""

from dragon_core.artifacts.draft import Draft, Shard
from dragon_core.artifacts.errors import ArtifactNotFoundError, StorageFullError, TooManyRejectsError
from dragon_core.artifacts.folder import cache_folder
from dragon_core.artifacts.identity import ArtifactReference, ExternalFiles, file_digest
from dragon_core.artifacts.making import begin, commit, make, make_shards
from dragon_core.artifacts.manifest import Manifest
from dragon_core.artifacts.progress import Log, LoggedProgress, Progress, silent
from dragon_core.artifacts.stage import Inputs, Parameters, Stage
from dragon_core.artifacts.store import Artifact, ArtifactStore

__all__ = [
    "Artifact",
    "ArtifactNotFoundError",
    "ArtifactReference",
    "ArtifactStore",
    "Draft",
    "ExternalFiles",
    "Inputs",
    "Log",
    "LoggedProgress",
    "Manifest",
    "Parameters",
    "Progress",
    "Shard",
    "Stage",
    "StorageFullError",
    "TooManyRejectsError",
    "begin",
    "cache_folder",
    "commit",
    "file_digest",
    "make",
    "make_shards",
    "silent",
]
