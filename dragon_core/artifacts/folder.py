"""A folder on any fsspec file system, in which a file is either whole or absent."""

import errno
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragon_core.artifacts.errors import StorageFullError
from dragon_core.artifacts.identity import file_digest
from dragon_core.artifacts.manifest import FileRecord

TEMPORARY_PREFIX = ".writing-"
SCRATCH = ".scratch"


def cache_folder() -> Path:
    """Where files of remote stores, and downloads, are kept: `$DRAGON_CACHE`, else `~/.cache/dragon`."""
    return Path(os.environ.get("DRAGON_CACHE", "~/.cache/dragon")).expanduser()


@dataclass(frozen=True)
class Folder:
    """A folder of an fsspec file system.

    Attributes:
        filesystem: The fsspec file system.
        path: The folder's path in it.
    """

    filesystem: Any
    path: str

    @property
    def is_local(self) -> bool:
        """Whether the folder is on this machine's own file system."""
        return "file" in _protocols(self.filesystem)

    @property
    def scratch(self) -> Path:
        """A local folder for the state of what is unfinished here; it outlives a kill and is deleted at the commit."""
        return self.on_this_machine(SCRATCH)

    def on_this_machine(self, name: str) -> Path:
        """A local folder of this name: in this folder, or in the cache folder if this one is remote."""
        remote = cache_folder() / "scratch" / _protocols(self.filesystem)[0] / self.path.lstrip("/")
        folder = (Path(self.path) if self.is_local else remote) / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def __truediv__(self, name: str) -> "Folder":
        return Folder(self.filesystem, f"{self.path}/{name}")

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Give a temporary local path; what was written to it becomes the file `name` at exit, or nothing does.

        Raises:
            StorageFullError: The disk is full.
        """
        target = f"{self.path}/{name}"
        with _full_disk_explained(target):
            if not self.is_local:
                with tempfile.TemporaryDirectory(prefix="dragon-") as temporary:
                    path = Path(temporary) / Path(name).name
                    yield path
                    self.filesystem.makedirs(self.filesystem._parent(target), exist_ok=True)
                    self.filesystem.put_file(str(path), target)
                return
            local = Path(target)
            local.parent.mkdir(parents=True, exist_ok=True)
            path = local.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}-{local.name}")
            try:
                yield path
                _flush(path)
                path.replace(local)
            finally:
                path.unlink(missing_ok=True)

    def write(self, name: str, text: str) -> None:
        """Write a small text file."""
        with self.writing(name) as path:
            path.write_text(text, encoding="utf-8")

    def read(self, name: str) -> str | None:
        """The text of a small file, or None if it is not there."""
        try:
            return bytes(self.filesystem.cat_file(f"{self.path}/{name}")).decode()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def folders(self) -> list[str]:
        """Sorted names of the folders in this folder; none if it does not exist."""
        try:
            entries = self.filesystem.ls(self.path, detail=True, refresh=True)
        except FileNotFoundError:
            return []
        # A link may lead to a folder.
        return sorted(entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in entries if entry["type"] != "file")

    def size(self, name: str) -> int | None:
        """Size of a file in bytes, or None if it is not there."""
        try:
            return int(self.filesystem.size(f"{self.path}/{name}"))
        except FileNotFoundError:
            return None

    def delete(self) -> None:
        """Delete the folder and all below it, if it is there."""
        if self.filesystem.exists(self.path):
            self.filesystem.rm(self.path, recursive=True)

    def local_copy(self, file: FileRecord) -> Path:
        """A local path that holds the file's contents: the file itself, or its copy in the cache folder."""
        if self.is_local:
            return Path(self.path) / file.name
        copy = _cached(file)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            temporary = copy.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}")
            try:
                with _full_disk_explained(str(copy)):
                    self.filesystem.get_file(f"{self.path}/{file.name}", str(temporary))
                    _flush(temporary)
                    temporary.replace(copy)
            finally:
                temporary.unlink(missing_ok=True)
        return copy

    def is_intact(self, file: FileRecord, checksum: bool) -> bool:
        """Whether the file is there with the recorded size and, if asked, the recorded checksum."""
        if self.size(file.name) != file.size:
            return False
        if not checksum or file_digest(self.local_copy(file)) == file.sha256:
            return True
        if self.is_local:
            return False
        # It may be the copy alone that is damaged.
        _cached(file).unlink(missing_ok=True)
        return file_digest(self.local_copy(file)) == file.sha256


def _cached(file: FileRecord) -> Path:
    return cache_folder() / "files" / file.sha256 / Path(file.name).name


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _protocols(filesystem: Any) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


@contextmanager
def _full_disk_explained(target: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFullError(
            f"No space left on the disk while writing {target}; free some space there, and for temporary files"
            f" ({tempfile.gettempdir()}), or choose another store, and run again: finished shards are kept."
        ) from error
