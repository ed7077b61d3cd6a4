from pathlib import Path

import pytest

from dragon_core.artifacts import (
    ArtifactNotFoundError,
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


class Sizes(Stage):
    """How many shards each group of numbers has."""

    name = "sizes"
    version = 1
    groups: dict[str, tuple[ArtifactReference, ...]]
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        groups = {
            group: [inputs.store.get(reference) for reference in members] for group, members in self.groups.items()
        }
        draft.count(**{group: sum(len(artifact.parts) for artifact in found) for group, found in groups.items()})


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


def test_artifacts_in_groups_are_inputs_like_all_others(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    one, two = (make(Numbers(params=NumbersParams(shard_count=count)), store).reference for count in (1, 2))
    stage = Sizes(groups={"odd": (one,), "all": (one, two)})
    sizes = make(stage, store)
    assert sizes.manifest.counts == {"odd": 1, "all": 3, "rejects": 0}
    assert [(a.role, str(a.record.reference)) for a in lineage(store, sizes)][1:] == [
        ("groups.odd.0", str(one)),
        ("groups.all.0", str(one)),
        ("groups.all.1", str(two)),
    ]
    assert store.find(stage) is not None
    assert unneeded(store, keep=1) == []
    assert Sizes(groups={"all": (one, two), "odd": (one,)}).reference == stage.reference
    for other in ({"odd": (one,), "all": (two, one)}, {"odd": (two,), "all": (one, two)}, {"all": (one, two)}):
        assert Sizes(groups=other).reference != stage.reference
    store.folder(two).delete()
    with pytest.raises(ArtifactNotFoundError, match=str(two)):
        store.find(stage)


def test_the_keys_of_stages_with_single_inputs_are_what_they_always_were() -> None:
    numbers = Numbers().reference
    assert str(numbers) == "numbers/9b1149c0d3cee95f"
    assert str(Total(numbers=numbers).reference) == "total/cb55c453948d5123"


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
