"""Finds WordNet's dictionary files on this machine, or obtains them.

Looked for in `$WORDNET_DIR`, the usual system folders and NLTK's data folders, then in the cache of earlier downloads;
else downloaded (`downloads.py`). A download is checked against its pinned SHA-256 and unpacked in a temporary
folder, which is renamed into the cache when it is whole. In the cache each file's checksum is kept and verified.
"""

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from dragon_core.artifacts import ExternalFiles, Progress, file_digest, silent
from dragon_core.graph.errors import WordNetError
from dragon_core.graph.wordnet.downloads import DOWNLOADS, Download, DownloadError
from dragon_core.graph.wordnet.files import FILE_NAMES

# Matches FILE_NAMES and nothing else that distributions put beside them.
PATTERN = "*.[nva][oed]*"
SYSTEM_FOLDERS = (
    "/usr/share/wordnet",
    "/usr/local/share/wordnet",
    "/usr/share/WordNet-3.0/dict",
    "/usr/local/WordNet-3.0/dict",
)
NLTK_FOLDERS = (
    "~/nltk_data",
    "/usr/share/nltk_data",
    "/usr/local/share/nltk_data",
    "/usr/lib/nltk_data",
    "/usr/local/lib/nltk_data",
)
CHECKSUMS = "checksums.json"


def find_or_obtain_wordnet(
    cache: Path, progress: Progress = silent, downloads: Sequence[Download] = DOWNLOADS
) -> ExternalFiles:
    """Give a folder of WordNet's dictionary files.

    Args:
        cache: Folder of downloads; it is made if need be.
        progress: Told of the bytes downloaded, or of the attempts made.
        downloads: What to try, in order, when no files are on this machine.

    Raises:
        WordNetError: `$WORDNET_DIR` holds no dictionary files, or none were found and every download failed; says
            why each did.
    """
    found = find_wordnet(cache, downloads)
    if found is not None:
        return found
    failures = []
    for attempt, download in enumerate(downloads):
        progress(attempt, len(downloads))
        try:
            folder = _obtain(download, cache, progress)
        except DownloadError as error:
            failures.append(f"{download.name}: {error}.")
        else:
            progress(len(downloads), len(downloads))
            return _external(folder)
    raise WordNetError(
        "WordNet was not found on this machine and could not be downloaded; set WORDNET_DIR to a folder with data.noun"
        " and its companions. " + " ".join(failures)
    )


def find_wordnet(cache: Path, downloads: Sequence[Download] = DOWNLOADS) -> ExternalFiles | None:
    """Give WordNet's dictionary files if they are on this machine or in the cache.

    Raises:
        WordNetError: `$WORDNET_DIR` is set and holds no dictionary files.
    """
    chosen = os.environ.get("WORDNET_DIR")
    if chosen:
        folder = _dictionary_in(Path(chosen).expanduser())
        if folder is None:
            raise WordNetError(
                f"WORDNET_DIR is {chosen}, which does not hold {', '.join(FILE_NAMES)}; correct it or unset it."
            )
        return _external(folder)
    places = [Path(place) for place in SYSTEM_FOLDERS]
    for nltk in _nltk_folders():
        places += [nltk / "corpora" / "wordnet31", nltk / "corpora" / "wordnet"]
    for place in places:
        folder = _dictionary_in(place) or _unzipped(place.with_suffix(".zip"), cache)
        if folder is not None:
            return _external(folder)
    for download in downloads:
        folder = _cache_entry(cache, download.sha256)
        if _is_sound(folder):
            return _external(folder)
    return None


def _external(folder: Path) -> ExternalFiles:
    return ExternalFiles.of("WordNet dictionary files", folder, PATTERN)


def _nltk_folders() -> list[Path]:
    configured = os.environ.get("NLTK_DATA", "").split(os.pathsep)
    return [Path(folder).expanduser() for folder in (*configured, *NLTK_FOLDERS) if folder]


def _dictionary_in(folder: Path) -> Path | None:
    for candidate in (folder, folder / "dict"):
        if all((candidate / name).is_file() for name in FILE_NAMES):
            return candidate
    return None


def _cache_entry(cache: Path, sha256: str) -> Path:
    return cache / "wordnet" / sha256[:16]


def _obtain(download: Download, cache: Path, progress: Progress) -> Path:
    _cache_entry(cache, download.sha256).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".obtaining-", dir=cache / "wordnet") as temporary:
        archive = download.fetch(Path(temporary), progress)
        digest = file_digest(archive)
        if digest != download.sha256:
            raise DownloadError(f"what came has the SHA-256 {digest} and not {download.sha256}, so it was not used")
        unpacked = Path(temporary) / "unpacked"
        unpacked.mkdir()
        download.unpack(archive, unpacked)
        return _keep(unpacked, _cache_entry(cache, download.sha256))


def _unzipped(archive: Path, cache: Path) -> Path | None:
    """NLTK keeps some of its data zipped: the cached contents of such an archive, if it holds the dictionary."""
    if not archive.is_file() or not zipfile.is_zipfile(archive):
        return None
    entry = _cache_entry(cache, file_digest(archive))
    if _is_sound(entry):
        return entry
    entry.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".obtaining-", dir=entry.parent) as temporary:
        with zipfile.ZipFile(archive) as contents:
            contents.extractall(temporary, [n for n in contents.namelist() if Path(n).name in FILE_NAMES])
        try:
            return _keep(Path(temporary), entry)
        except DownloadError:
            return None


def _keep(unpacked: Path, entry: Path) -> Path:
    """Move the dictionary files found below `unpacked` into the cache, whole or not at all."""
    found = {path.name: path for path in sorted(unpacked.rglob("*")) if path.name in FILE_NAMES and path.is_file()}
    missing = [name for name in FILE_NAMES if name not in found]
    if missing:
        raise DownloadError(f"the archive does not hold {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix=".obtaining-", dir=entry.parent) as temporary:
        ready = Path(temporary) / "ready"
        ready.mkdir()
        for name, path in found.items():
            path.rename(ready / name)
        checksums = {name: file_digest(ready / name) for name in FILE_NAMES}
        (ready / CHECKSUMS).write_text(json.dumps(checksums, indent=2) + "\n", encoding="utf-8")
        if not _is_sound(entry):
            shutil.rmtree(entry, ignore_errors=True)
            ready.rename(entry)
    return entry


def _is_sound(entry: Path) -> bool:
    try:
        checksums = json.loads((entry / CHECKSUMS).read_text(encoding="utf-8"))
        return all(file_digest(entry / name) == checksums[name] for name in FILE_NAMES)
    except (OSError, ValueError, KeyError):
        return False
