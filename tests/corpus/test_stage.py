import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dragon_core.artifacts import Artifact, ArtifactStore, ExternalFiles, TooManyRejectsError, make
from dragon_core.corpus import EmptyCorpusError
from dragon_core.corpus.holdout import Holdout, normalised_words
from dragon_core.corpus.schema import HOLDOUT, SEGMENTS
from dragon_core.corpus.stage import BuildCorpus, CorpusParams
from dragon_core.corpus.wordnet import synsets_in_order
from dragon_core.graph.wordnet.files import read_wordnet
from tests.graph.wordnet.dictionary_files import real_wordnet, write_wordnet

Build = Callable[..., Artifact]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def run(folder: Path, store: str = "store", **params: object) -> Artifact:
        stage = BuildCorpus(source=ExternalFiles.of("corpus", folder), params=CorpusParams.model_validate(params))
        return make(stage, ArtifactStore(str(tmp_path / store)))

    return run


def rows(artifact: Artifact, *names: str) -> list[dict[str, Any]]:
    return [row for name in names or artifact.parts for row in pq.read_table(artifact.path(name)).to_pylist()]


def sentences_of(number: int) -> str:
    return "".join(f"this is sentence number {i} of the text.\n\n" for i in range(number))


def test_wordnet_entries_and_examples_are_packed_with_related_ones_beside_them(tmp_path: Path, build: Build) -> None:
    artifact = build(write_wordnet(tmp_path / "dict"), holdout_share=0)
    segments = rows(artifact)
    text = " ".join(segment["text"] for segment in segments)
    assert (
        "dog, domestic dog, Canis familiaris: a domesticated member of the genus Canis. the dog barked all night."
        in text
    )
    assert "good girl!" in text
    assert text.index("animal, beast:") < text.index("dog, domestic dog") < text.index("cat, true cat")
    assert artifact.manifest.counts["documents"] == 14
    assert {segment["source"] for segment in segments} == {"wordnet"}
    assert "n02084071" in {doc_id for segment in segments for doc_id in segment["doc_ids"]}


def test_topical_order_has_every_synset_once_even_in_a_circle(tmp_path: Path) -> None:
    circle = """\
00000001 05 n 01 egg 0 001 @ 00000002 n 0000 | what hens lay
00000002 05 n 01 hen 0 001 @ 00000001 n 0000 | what eggs make
00000003 05 n 01 dog 0 001 @ 00000004 n 0000 | it barks
00000004 05 n 01 animal 0 000 | it moves
"""
    wordnet = read_wordnet(write_wordnet(tmp_path, {"noun": circle}))
    order = [synset.id for synset in synsets_in_order(wordnet)]
    assert sorted(order) == sorted(wordnet.synsets)
    assert [i for i in order if i.startswith("n")] == ["n00000004", "n00000003", "n00000001", "n00000002"]


def test_held_out_definitions_are_nowhere_in_the_corpus(tmp_path: Path, build: Build) -> None:
    nouns = "".join(
        f'{i:08} 05 n 01 word{i} 0 000 | the meaning of the word {i // 2}; "say the meaning of the word {i + 1} now"\n'
        for i in range(200)
    )
    artifact = build(write_wordnet(tmp_path / "dict", {"noun": nouns}), holdout_share=0.3)
    held_out = rows(artifact, "holdout.parquet")
    padded = [f" {' '.join(normalised_words(segment['text']))} " for segment in rows(artifact)]
    assert 20 < len(held_out) < 120
    for row in held_out:
        definition = f" {' '.join(normalised_words(row['text']))} "
        assert not any(definition in text for text in padded)
    held_ids = {row["doc_id"] for row in held_out}
    assert {f"n{i:08}" for i in range(0, 200, 2)} & held_ids == {
        f"n{int(str(i)[1:]) - 1:08}" for i in held_ids if int(str(i)[1:]) % 2
    }
    assert not held_ids & {doc_id for row in rows(artifact) for doc_id in row["doc_ids"]}
    assert artifact.manifest.counts["sentences_that_repeat_held_out"] > 10


def test_shards_have_equally_many_segments_and_running_ids(tmp_path: Path, build: Build) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text(sentences_of(50))
    artifact = build(tmp_path / "text", source="text", words_per_segment=8, segments_per_shard=20, holdout_share=0)
    assert artifact.parts == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    assert [pq.read_metadata(artifact.path(part)).num_rows for part in artifact.parts] == [20, 20, 10]
    assert [row["segment_id"] for row in rows(artifact)] == list(range(50))
    assert rows(artifact)[7] == {
        "segment_id": 7,
        "doc_ids": ["a.txt:15"],
        "text": "this is sentence number 7 of the text.",
        "source": "a.txt",
    }
    assert pq.read_schema(artifact.path("part-00000.parquet")).equals(SEGMENTS)
    assert pq.read_schema(artifact.path("holdout.parquet")).equals(HOLDOUT)
    assert {key: artifact.manifest.counts[key] for key in ("segments", "sentences", "words", "documents")} == {
        "segments": 50,
        "sentences": 50,
        "words": 400,
        "documents": 50,
    }


def test_the_same_text_gives_the_same_bytes(tmp_path: Path, build: Build) -> None:
    folder = write_wordnet(tmp_path / "dict")
    assert build(folder, "one").manifest.files == build(folder, "two").manifest.files


def test_a_sample_is_spread_over_the_corpus_and_grows_by_addition(tmp_path: Path, build: Build) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text(sentences_of(500))

    def texts(size: int | None) -> list[object]:
        params = {"source": "text", "words_per_segment": 8, "max_segments": size, "holdout_share": 0}
        return [row["text"] for row in rows(build(tmp_path / "text", **params))]

    everything, few, more = texts(None), texts(20), texts(60)
    assert (len(few), len(more), len(everything)) == (20, 60, 500)
    assert set(few) < set(more) < set(everything)
    assert few == [text for text in everything if text in few]
    assert everything.index(few[-1]) > 250
    assert texts(1000) == everything


def test_held_out_text_documents_are_kept_apart(tmp_path: Path, build: Build) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text(sentences_of(200) + sentences_of(200))
    artifact = build(tmp_path / "text", source="text", words_per_segment=8, holdout_share=0.2)
    read, held_out = ({row["text"] for row in rows(artifact, *names)} for names in ((), ("holdout.parquet",)))
    assert not read & held_out
    assert len(read | held_out) == 200
    assert artifact.manifest.counts["held_out"] == 2 * len(held_out)


def test_rejects_are_recorded_up_to_the_share_allowed(tmp_path: Path, build: Build) -> None:
    (tmp_path / "text").mkdir()
    good = "".join(json.dumps({"text": f"Record number {i} is fine."}) + "\n" for i in range(9))
    (tmp_path / "text" / "a.jsonl").write_text(good + "{broken\n")
    artifact = build(tmp_path / "text", source="text", max_reject_share=0.1)
    assert artifact.manifest.counts["rejects"] == 1
    assert rows(artifact, "rejects.parquet")[0]["record"] == "10"
    with pytest.raises(TooManyRejectsError, match=r"1 of 10 records"):
        build(tmp_path / "text", source="text", max_reject_share=0.05)


@pytest.mark.parametrize(("content", "share"), [(" \n\n \n", 0.0), ("this is a lonely sentence", 0.5)])
def test_a_corpus_with_nothing_to_read_is_one_clear_sentence(
    tmp_path: Path, build: Build, content: str, share: float
) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text(content)
    seed = next(s for s in range(100) if not share or _holds(content, share, s))
    with pytest.raises(EmptyCorpusError, match="is empty"):
        build(tmp_path / "text", source="text", holdout_share=share, seed=seed)


def _holds(text: str, share: float, seed: int) -> bool:
    return Holdout([], share, seed).holds(text)


def test_the_real_corpus_is_whole_and_without_the_held_out(build: Build) -> None:
    folder = real_wordnet()
    if folder is None:
        pytest.skip("WordNet is not on this machine")
    artifact = build(folder, words_per_segment=64)
    counts = artifact.manifest.counts
    assert counts["documents"] == len(read_wordnet(folder).synsets)
    assert 0.04 < counts["held_out"] / counts["documents"] < 0.055
    assert 155_000 < counts["sentences"] < 166_500
    by_beginning = defaultdict(list)
    for row in rows(artifact, "holdout.parquet"):
        words = normalised_words(row["text"])
        by_beginning[" ".join(words[:3])].append(f" {' '.join(words)} ")
    assert sum(map(len, by_beginning.values())) == counts["held_out"]
    for row in rows(artifact):
        words = normalised_words(row["text"])
        padded = f" {' '.join(words)} "
        beginnings = {" ".join(words[i : i + 3]) for i in range(len(words))} & by_beginning.keys()
        assert not [d for beginning in beginnings for d in by_beginning[beginning] if d in padded]
