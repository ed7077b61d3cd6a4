import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dragon_core.artifacts import (
    ArtifactNotFoundError,
    ArtifactStore,
    Draft,
    ExternalFiles,
    Inputs,
    Parameters,
    Progress,
    Stage,
    StorageFullError,
    TooManyRejectsError,
    begin,
    commit,
    make,
    make_shards,
)
from dragon_core.artifacts.errors import ArtifactVersionError, StoreUrlError
from dragon_core.errors import DragonError
from tests.artifacts.stages import Numbers, NumbersParams, Total, TotalParams


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "store"))


def contents(store: ArtifactStore, stage: Numbers | Total) -> dict[str, bytes]:
    folder = Path(store.folder(stage.reference).path)
    return {path.name: path.read_bytes() for path in folder.rglob("*.parquet")}


def test_an_artifact_holds_its_files_counts_and_rejects(store: ArtifactStore) -> None:
    artifact = make(Numbers(), store)
    assert artifact.parts == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    assert artifact.manifest.counts == {"numbers": 25, "rejects": 5}
    rejects = pq.read_table(artifact.path("rejects.parquet")).to_pylist()
    assert {int(reject["record"]) for reject in rejects} == {0, 7, 14, 21, 28}
    assert {reject["reason"] for reject in rejects} == {"a multiple of seven"}


def test_nothing_but_the_recorded_files_is_left_after_a_commit(store: ArtifactStore) -> None:
    artifact = make(Numbers(), store)
    left = {path.name for path in artifact.folder.iterdir()}
    assert left == {file.name for file in artifact.manifest.files} | {"manifest.json"}


def test_a_sound_artifact_is_not_made_again(store: ArtifactStore) -> None:
    make(Numbers(), store)
    Numbers.made.clear()
    make(Numbers(), store)
    assert Numbers.made == []


def test_the_key_depends_on_params_inputs_and_contents_but_not_on_paths(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("a.txt", "b.txt", "c.txt"))
    for path, text in ((first, "x"), (second, "x"), (other, "y")):
        path.write_text(text)
    keys = [Numbers(source=ExternalFiles.of("text", path)).reference.key for path in (first, second, other)]
    assert keys[0] == keys[1] != keys[2]
    assert Numbers(params=NumbersParams(shard_count=4)).reference != Numbers().reference
    numbers = Numbers().reference
    assert Total(numbers=numbers).reference != Total(numbers=numbers, params=TotalParams(factor=2)).reference


@pytest.mark.parametrize("damage", ["delete", "truncate", "flip"])
def test_a_damaged_artifact_is_made_again_and_what_was_made_from_it_stays(store: ArtifactStore, damage: str) -> None:
    numbers = make(Numbers(), store)
    make(Total(numbers=numbers.reference), store)
    victim = numbers.path("part-00001.parquet")
    data = victim.read_bytes()
    if damage == "delete":
        victim.unlink()
    else:
        victim.write_bytes(data[:-1] if damage == "truncate" else bytes([data[0] ^ 1]) + data[1:])
    assert store.find(Numbers()) is None
    Total.made.clear()
    remade = make(Numbers(), store)
    assert remade.path("part-00001.parquet").read_bytes() == data
    make(Total(numbers=remade.reference), store)
    assert Total.made == []


def test_what_hangs_on_changed_contents_is_made_again(store: ArtifactStore) -> None:
    numbers = make(Numbers(), store)
    total = Total(numbers=numbers.reference)
    make(total, store)
    manifest_path = numbers.folder / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    manifest["files"][0]["sha256"] = "0" * 64
    manifest_path.write_text(json.dumps(manifest))
    assert store.find(total) is None


@pytest.mark.parametrize("begins", [b"", b"\xff\xfe"])
def test_a_half_written_manifest_is_no_artifact(store: ArtifactStore, begins: bytes) -> None:
    artifact = make(Numbers(), store)
    path = artifact.folder / "manifest.json"
    path.write_bytes(begins + path.read_bytes()[:100])
    assert store.find(Numbers()) is None
    assert make(Numbers(), store).manifest.digest == artifact.manifest.digest


def test_groups_of_shards_can_be_made_apart_and_a_missing_one_blocks_the_commit(store: ArtifactStore) -> None:
    stage = Numbers()
    names = begin(stage, store)
    make_shards(stage, store, names[:2])
    with pytest.raises(ArtifactNotFoundError, match=r"part-00002\.parquet"):
        commit(stage, store)
    assert begin(stage, store) == names[2:]
    make_shards(stage, store, names)
    assert commit(stage, store).manifest.counts["numbers"] == 25


def test_shards_are_not_made_of_what_another_process_commits_meanwhile(store: ArtifactStore) -> None:
    stage = Numbers()
    names = begin(stage, store)
    artifact = make(stage, store)
    Numbers.made.clear()
    make_shards(stage, store, names)
    assert Numbers.made == []
    # What it was writing when the other one committed.
    (artifact.folder / ".shards").mkdir()
    (artifact.folder / ".shards/part-00000.parquet.json").write_text("{}")
    assert commit(stage, store) == artifact
    assert not (artifact.folder / ".shards").exists()


def test_shards_made_from_other_contents_are_not_used(store: ArtifactStore, tmp_path: Path) -> None:
    stage = Numbers()
    make_shards(stage, store, begin(stage, store))
    record = Path(store.folder(stage.reference).path) / ".shards" / "part-00000.parquet.json"
    data = json.loads(record.read_text())
    record.write_text(json.dumps(data | {"inputs": {"source": "0" * 64}}))
    assert begin(stage, store) == ["part-00000.parquet"]


def test_a_missing_input_is_named(store: ArtifactStore) -> None:
    reference = Numbers().reference
    with pytest.raises(ArtifactNotFoundError, match=str(reference)):
        make(Total(numbers=reference), store)


def test_too_many_rejects_of_the_shards_fail_the_stage(store: ArtifactStore) -> None:
    with pytest.raises(TooManyRejectsError, match="5 of 30 records were rejected"):
        make(Numbers(params=NumbersParams(max_reject_share=0.1)), store)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(store: ArtifactStore) -> None:
    folder = store.folder(Numbers().reference)

    def write_to_a_full_disk() -> None:
        with folder.writing("a.txt") as path:
            path.write_text("some of it")
            Path("/dev/full").write_text("the rest")

    with pytest.raises(StorageFullError, match="No space left"):
        write_to_a_full_disk()
    assert list(Path(folder.path).iterdir()) == []


def test_a_store_on_another_file_system_gives_the_same_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGON_CACHE", str(tmp_path / "cache"))
    remote, local = ArtifactStore("memory://dragon-test"), ArtifactStore(str(tmp_path / "store"))
    results = []
    for store in (remote, local):
        numbers = make(Numbers(), store)
        total = make(Total(numbers=numbers.reference), store)
        results.append((numbers.manifest.digest, json.loads((total.folder / "total.json").read_text())))
    assert results[0] == results[1]
    assert remote.find(Numbers()) is not None
    assert sorted(str(a.reference) for a in remote.artifacts()) == sorted(str(a.reference) for a in local.artifacts())


class Halfway(Stage):
    """Goes on from what it finds in its scratch folder."""

    name = "halfway"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        draft.write_json("state.json", (draft.scratch / "state").read_text())


@pytest.mark.parametrize("url", ["memory://dragon-scratch", "{folder}/store"])
def test_the_scratch_folder_is_found_from_outside_and_goes_with_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DRAGON_CACHE", str(tmp_path / "cache"))
    store = ArtifactStore(url.format(folder=tmp_path))
    scratch = store.scratch(Halfway().reference)
    (scratch / "state").write_text("half")
    assert json.loads(make(Halfway(), store).path("state.json").read_text()) == "half"
    assert not scratch.exists()


def test_a_damaged_copy_of_a_remote_file_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGON_CACHE", str(tmp_path / "cache"))
    store = ArtifactStore("memory://dragon-copies")
    made = make(Total(numbers=make(Numbers(), store).reference), store)
    whole = made.path("total.json").read_bytes()
    made.path("total.json").write_bytes(b"{")
    Total.made.clear()
    again = make(Total(numbers=make(Numbers(), store).reference), store)
    assert Total.made == []
    assert again.path("total.json").read_bytes() == whole


def test_files_that_are_no_artifacts_are_passed_over(store: ArtifactStore) -> None:
    made = make(Numbers(), store)
    root = Path(store.url)
    (root / "README").write_text("about this store")
    (root / "numbers/.DS_Store").write_bytes(b"x")
    (root / "numbers/0123").mkdir()
    (root / "numbers/0123/manifest.json").write_bytes(b"\xff")
    assert [artifact.reference for artifact in store.artifacts()] == [made.reference]
    assert store.resolve("numbers/latest").reference == made.reference
    assert [reference.key for reference in store.drafts()] == ["0123"]
    assert store.stages() == ["numbers"]


def test_the_latest_is_the_newest_that_was_not_made_for_a_comparison_alone(store: ArtifactStore) -> None:
    def numbers(shard_count: int, for_comparison: bool = False) -> str:
        stage = Numbers(params=NumbersParams(shard_count=shard_count), for_comparison=for_comparison)
        return str(make(stage, store).reference)

    compared = numbers(1, for_comparison=True)
    with pytest.raises(ArtifactNotFoundError, match=rf"fits 0 artifacts .* \(there: {compared}\)"):
        store.resolve("numbers/latest")
    first = numbers(2)
    newest = numbers(3, for_comparison=True)
    assert str(store.resolve("numbers/latest").reference) == first
    # It is the same artifact when it is wanted for itself, and then no longer one of a comparison alone.
    Numbers.made.clear()
    assert (numbers(3), numbers(3, for_comparison=True), Numbers.made) == (newest, newest, [])
    assert str(store.resolve("numbers/latest").reference) == newest


@pytest.mark.parametrize("url", ["nonsense://store", "git://store"])
def test_a_store_of_no_known_kind_is_one_sentence(url: str) -> None:
    with pytest.raises(StoreUrlError, match=f"The store {url} cannot be opened"):
        ArtifactStore(url)


def test_parameters_of_another_version_are_one_sentence(store: ArtifactStore) -> None:
    made = make(Numbers(), store)
    assert made.params(NumbersParams) == NumbersParams()
    with pytest.raises(ArtifactVersionError, match=r"numbers/\w+ was made by another version .*shard_count"):
        made.params(TotalParams)


def test_hidden_files_and_names_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    (tmp_path / "a.txt").write_text("seen")
    before = ExternalFiles.of("files", tmp_path)
    (tmp_path / ".cache/b.txt").write_text("not seen")
    assert ExternalFiles.of("files", tmp_path) == before
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("what")
    with pytest.raises(DragonError, match=r"the name of the file 'caf.*' in .* is not UTF-8; rename it"):
        ExternalFiles.of("files", tmp_path)


def test_a_kill_in_the_middle_loses_one_shard_and_changes_no_byte(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import os, signal, sys
        from dragon_core.artifacts import ArtifactStore, make
        from tests.artifacts.stages import Numbers, NumbersParams

        class Killed(Numbers):
            def make_shards(self, inputs, shards):
                def until_killed():
                    for shard in shards:
                        if shard.name == "part-00005.parquet":
                            shard.write_table(shard.name, __import__("pyarrow").table({"number": [1]}))
                            os.kill(os.getpid(), signal.SIGKILL)
                        yield shard
                super().make_shards(inputs, until_killed())

        make(Killed(params=NumbersParams(shard_count=9)), ArtifactStore(sys.argv[1]))
    """)
    stage = Numbers(params=NumbersParams(shard_count=9))
    killed, whole = ArtifactStore(str(tmp_path / "killed")), ArtifactStore(str(tmp_path / "whole"))
    result = subprocess.run([sys.executable, "-c", script, killed.url], cwd=Path(__file__).parents[2], check=False)
    assert result.returncode == -signal.SIGKILL
    assert begin(stage, killed) == [f"part-{i:05}.parquet" for i in range(5, 9)]
    make(stage, killed)
    make(stage, whole)
    assert contents(killed, stage) == contents(whole, stage)
