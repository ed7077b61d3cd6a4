from pathlib import Path

from dragon_core.artifacts import (
    ArtifactReference,
    ArtifactStore,
    Draft,
    ExternalFiles,
    Inputs,
    Parameters,
    Progress,
    Stage,
    begin,
    make,
    make_shards,
)
from dragon_core.artifacts.lineage import collect_garbage, lineage, unneeded
from tests.artifacts.stages import Numbers, NumbersParams, Total


class Difference(Stage):
    """What is in one set of numbers and not in another."""

    name = "difference"
    version = 1
    one: ArtifactReference
    other: ArtifactReference
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        draft.count(shards=len(set(inputs.one.parts) - set(inputs.other.parts)))


def test_lineage_names_every_ancestor_with_its_role(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    (tmp_path / "words.txt").write_text("words")
    numbers = make(Numbers(source=ExternalFiles.of("words", tmp_path / "words.txt")), store)
    total = make(Total(numbers=numbers.reference), store)
    lines = [(ancestor.depth, ancestor.role, ancestor.name) for ancestor in lineage(store, total)]
    assert lines[:2] == [(0, "", str(total.reference)), (1, "numbers", str(numbers.reference))]
    assert lines[2][:2] == (2, "source")
    assert "words.txt" in lines[2][2]


def test_what_an_artifact_was_made_from_is_listed_once(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    (tmp_path / "words.txt").write_text("words")
    numbers = make(Numbers(source=ExternalFiles.of("words", tmp_path / "words.txt")), store)
    sums = make(Difference(one=numbers.reference, other=numbers.reference), store)
    lines = [(ancestor.role, ancestor.repeated) for ancestor in lineage(store, sums)]
    assert lines == [("", False), ("one", False), ("source", False), ("other", True)]


def test_a_lost_ancestor_is_said_to_be_lost(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    numbers = make(Numbers(), store)
    total = make(Total(numbers=numbers.reference), store)
    store.folder(numbers.reference).delete()
    assert "no longer in the store" in list(lineage(store, total))[1].name


def test_garbage_is_what_neither_the_newest_nor_their_ancestors_need(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    used = make(Numbers(params=NumbersParams(shard_count=1)), store)
    total = make(Total(numbers=used.reference), store)
    old = make(Numbers(params=NumbersParams(shard_count=2)), store)
    newest = make(Numbers(params=NumbersParams(shard_count=3)), store)
    draft = Numbers(params=NumbersParams(shard_count=4))
    make_shards(draft, store, begin(draft, store)[:1])
    assert set(unneeded(store, keep=1)) == {old.reference, draft.reference}
    collect_garbage(store, keep=1)
    assert {a.reference for a in store.artifacts()} == {used.reference, total.reference, newest.reference}
    assert list(store.drafts()) == []
