"""The manifest: what an artifact holds and what it was made from. Writing it is the commit."""

import importlib.metadata
import platform
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from dragon_core.artifacts.errors import ArtifactNotFoundError
from dragon_core.artifacts.identity import ArtifactReference, json_digest

MANIFEST_NAME = "manifest.json"

PACKAGES = (
    "dragon",
    "daachorse",
    "fastobo",
    "lemminflect",
    "matplotlib",
    "numba",
    "numpy",
    "polars",
    "prefect",
    "pyarrow",
    "scipy",
    "spacy",
    "tokenizers",
    "torch",
    "torch-geometric",
    "transformers",
)


class Record(BaseModel):
    """Base of what is written as JSON beside the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FileRecord(Record):
    """One file of an artifact: its size in bytes and the SHA-256 of its contents."""

    name: str
    size: int
    sha256: str


class InputRecord(Record):
    """What a stage read, an artifact or external files (which ones of a folder), and the digest of the contents."""

    digest: str
    reference: ArtifactReference | None = None
    path: str | None = None
    pattern: str | None = None


class ShardRecord(Record):
    """The commit of one shard: its files, its counts, its rejects, and the digests of the inputs it was made from."""

    inputs: dict[str, str]
    files: list[FileRecord]
    counts: dict[str, int]
    rejects: list[tuple[str, str, str]]
    seconds: float


class Manifest(Record):
    """Everything known about an artifact.

    Attributes:
        stage: Name of the stage.
        version: Version of the stage's code.
        key: Hash of stage, version, params and the keys of the inputs.
        params: The stage's parameters, as JSON.
        inputs: What it was made from, by the stage's field name.
        files: The artifact's files; all paths are relative to its folder.
        counts: What the stage counted, such as `segments` and `rejects`.
        packages: Versions of Python and of the packages that matter for the contents.
        created: When it was committed, UTC.
        seconds: Computing time that its shards and its finish took.
        for_comparison: Whether it was made to be compared with another, so that `STAGE/latest` is never it.
    """

    stage: str
    version: int
    key: str
    params: dict[str, Any]
    inputs: dict[str, InputRecord]
    files: list[FileRecord]
    counts: dict[str, int]
    packages: dict[str, str]
    created: datetime
    seconds: float
    for_comparison: bool = False

    @property
    def reference(self) -> ArtifactReference:
        """The reference by which other stages name this artifact."""
        return ArtifactReference(stage=self.stage, key=self.key)

    def origin(self, role: str) -> ArtifactReference:
        """The artifact that was the stage's input `role`.

        Raises:
            ArtifactNotFoundError: There was none.
        """
        record = self.inputs.get(role)
        if record is None or record.reference is None:
            raise ArtifactNotFoundError(f"{self.reference} was made by an older version, without {role}; make it anew.")
        return record.reference

    @property
    def digest(self) -> str:
        """Hash of the contents: equal for two artifacts whose files are equal."""
        return json_digest({file.name: file.sha256 for file in self.files})


@cache
def package_versions() -> dict[str, str]:
    """Versions of Python and of those of `PACKAGES` that are installed."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
