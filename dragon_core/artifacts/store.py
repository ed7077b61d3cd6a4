"""The artifact store: finds committed artifacts, and tells sound ones from damaged ones."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import fsspec
from pydantic import ValidationError

from dragon_core.artifacts.errors import ArtifactNotFoundError, ArtifactVersionError, StoreUrlError
from dragon_core.artifacts.folder import Folder, cache_folder
from dragon_core.artifacts.identity import ArtifactReference
from dragon_core.artifacts.manifest import MANIFEST_NAME, InputRecord, Manifest
from dragon_core.artifacts.stage import Inputs, Parameters, Stage
from dragon_core.errors import first_problem

# A hidden folder is no stage's.
LOCKS = ".locks"

AnyParameters = TypeVar("AnyParameters", bound=Parameters)


@dataclass(frozen=True)
class Artifact:
    """A committed artifact.

    Attributes:
        store_folder: Its folder in the store.
        manifest: What it holds and what it was made from.
    """

    store_folder: Folder
    manifest: Manifest

    @property
    def reference(self) -> ArtifactReference:
        """Its reference."""
        return self.manifest.reference

    def params(self, kind: type[AnyParameters]) -> AnyParameters:
        """The parameters that it was made with.

        Raises:
            ArtifactVersionError: Another version of this program made it, whose stage had other parameters.
        """
        try:
            return kind.model_validate(self.manifest.params)
        except ValidationError as error:
            raise ArtifactVersionError(
                f"{self.reference} was made by another version of this program ({first_problem(error)}); make it anew,"
                " or use the version that made it."
            ) from error

    @property
    def parts(self) -> list[str]:
        """Sorted names of its data shards, `part-*.parquet`."""
        return sorted(f.name for f in self.manifest.files if f.name.startswith("part-") and f.name.endswith(".parquet"))

    def path(self, name: str) -> Path:
        """Local path of one of its files.

        Raises:
            ArtifactNotFoundError: It has no such file.
        """
        for file in self.manifest.files:
            if file.name == name:
                return self.store_folder.local_copy(file)
        raise ArtifactNotFoundError(f"The artifact {self.reference} has no file {name}.")

    @property
    def folder(self) -> Path:
        """A local folder that holds all its files."""
        if self.store_folder.is_local:
            return Path(self.store_folder.path)
        paths = {file.name: self.store_folder.local_copy(file) for file in self.manifest.files}
        return _linked_folder(paths, self.manifest.digest)


class ArtifactStore:
    """Artifacts below one fsspec URL, one folder each: `URL/<stage>/<key>/`.

    Attributes:
        url: Where the store lies, as it was given.

    Raises:
        StoreUrlError: There is no such kind of store, or a package for it is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            filesystem, path = fsspec.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StoreUrlError(f"The store {url} cannot be opened: {error}.") from error
        self._root = Folder(filesystem, path.rstrip("/"))

    def folder(self, reference: ArtifactReference) -> Folder:
        """The folder of an artifact, whether it exists or not."""
        return self._root / reference.stage / reference.key

    def scratch(self, reference: ArtifactReference) -> Path:
        """The local folder for the state of an artifact that is unfinished, the same as `Draft.scratch`."""
        return self.folder(reference).scratch

    def lock(self, reference: ArtifactReference) -> Path:
        """The local file that whoever finishes an artifact holds (`only_one`)."""
        return self._root.on_this_machine(LOCKS) / f"{reference.stage}-{reference.key}"

    def get(self, reference: ArtifactReference) -> Artifact:
        """The committed artifact that the reference names; its checksums are not looked at.

        Raises:
            ArtifactNotFoundError: There is none.
        """
        manifest = self._manifest(reference)
        if manifest is None:
            raise ArtifactNotFoundError(
                f"The store {self.url} holds no artifact {reference}; run the flow that makes it, or give another"
                " store."
            )
        return Artifact(self.folder(reference), manifest)

    def resolve(self, text: str) -> Artifact:
        """The artifact named by `STAGE/KEY`, by `STAGE/` and the unique beginning of a key, or by `STAGE/latest`.

        The latest is the newest that was not made for a comparison alone.

        Raises:
            ArtifactNotFoundError: None fits, or several do.
        """
        wanted = ArtifactReference.parse(text)
        of_stage = list(self.artifacts(wanted.stage))
        own = [artifact for artifact in of_stage if not artifact.manifest.for_comparison]
        if wanted.key == "latest" and own:
            return max(own, key=lambda artifact: artifact.manifest.created)
        fitting = [artifact for artifact in of_stage if artifact.manifest.key.startswith(wanted.key)]
        if len(fitting) != 1:
            known = ", ".join(str(artifact.reference) for artifact in (fitting or of_stage)) or "none of that stage"
            raise ArtifactNotFoundError(
                f"{text!r} fits {len(fitting)} artifacts of the store {self.url} (there: {known})."
            )
        return fitting[0]

    def find(self, stage: Stage) -> Artifact | None:
        """The artifact that the stage would make, if it is there, undamaged, and made from what its inputs hold now.

        One that was made for a comparison alone is so no longer if the stage is not for one.
        """
        manifest = self._manifest(stage.reference)
        if manifest is None:
            return None
        folder = self.folder(stage.reference)
        if not all(folder.is_intact(file, checksum=True) for file in manifest.files):
            return None
        recorded = {name: record.digest for name, record in manifest.inputs.items()}
        if any(recorded[name] != record.digest for name, record in self.input_records(stage).items()):
            return None
        if manifest.for_comparison and not stage.for_comparison:
            manifest = manifest.model_copy(update={"for_comparison": False})
            folder.write(MANIFEST_NAME, manifest.model_dump_json(indent=2))
        return Artifact(folder, manifest)

    def inputs(self, stage: Stage) -> Inputs:
        """The artifacts the stage reads.

        Raises:
            ArtifactNotFoundError: One of them is not in the store.
        """
        return Inputs({name: self.get(reference) for name, reference in stage.artifacts.items()}, self)

    def input_records(self, stage: Stage) -> dict[str, InputRecord]:
        """What the stage's inputs hold now.

        Raises:
            ArtifactNotFoundError: One of them is not in the store.
        """
        records = {
            name: InputRecord(digest=self.get(reference).manifest.digest, reference=reference)
            for name, reference in stage.artifacts.items()
        }
        return records | {
            name: InputRecord(digest=files.digest, path=files.path, pattern=files.pattern)
            for name, files in stage.external.items()
        }

    def artifacts(self, stage: str | None = None) -> Iterator[Artifact]:
        """All committed artifacts, or those of one stage."""
        for name in [stage] if stage else self.stages():
            for key in (self._root / name).folders():
                reference = ArtifactReference(stage=name, key=key)
                manifest = self._manifest(reference)
                if manifest is not None:
                    yield Artifact(self.folder(reference), manifest)

    def stages(self) -> list[str]:
        """Names of the stages that have a folder in the store."""
        return [name for name in self._root.folders() if not name.startswith(".")]

    def drafts(self) -> Iterator[ArtifactReference]:
        """References whose folder holds no manifest: begun and not committed."""
        for name in self.stages():
            for key in (self._root / name).folders():
                reference = ArtifactReference(stage=name, key=key)
                if self._manifest(reference) is None:
                    yield reference

    def _manifest(self, reference: ArtifactReference) -> Manifest | None:
        try:
            text = self.folder(reference).read(MANIFEST_NAME)
            return None if text is None else Manifest.model_validate_json(text)
        except (ValidationError, UnicodeDecodeError):
            return None


def _linked_folder(paths: dict[str, Path], digest: str) -> Path:
    folder = cache_folder() / "folders" / digest
    for name, path in paths.items():
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        # Another process may make it meanwhile.
        with suppress(FileExistsError):
            link.symlink_to(path)
    return folder
