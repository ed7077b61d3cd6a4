"""Linkers and linked corpora as artifacts, with segments that cannot be linked."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dragon_core.artifacts import (
    Artifact,
    ArtifactStore,
    Draft,
    ExternalFiles,
    Inputs,
    Parameters,
    Progress,
    Stage,
    make,
)
from dragon_core.artifacts.errors import TooManyRejectsError
from dragon_core.graph import Relation, write_graph
from dragon_core.linking import (
    BuildLinker,
    ConceptParams,
    DictionaryParams,
    LinkEntities,
    LinkingError,
    MentionParams,
    SpacyParams,
    open_linker,
)
from dragon_core.subgraph import ExtractSubgraphs, SubgraphParams
from tests.graph.graphs import tables_of

NAMES = ["dog", "cat", "animal", "saw", "see"]


class Animals(Stage):
    """A graph of five nodes."""

    name = "graph"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        write_graph(draft, tables_of(NAMES, [Relation("is a", "{head} is a {tail}")], [(0, 0, 2), (1, 0, 2)]))


class MoreAnimals(Animals):
    """The same, made otherwise."""

    version = 2


class Texts(Stage):
    """A corpus whose last shard has what a damaged source may leave in it."""

    name = "corpus"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        texts = [b"A dog saw two cats.", b"Nothing to report."]
        draft.write_table("part-00000.parquet", segments(0, texts))
        texts = [b"", b"a dog \xff", b"dog " * 500, b" \n", None, "un café".encode(), b"A cat."]
        draft.write_table("part-00001.parquet", segments(2, texts))
        draft.write_table("part-00002.parquet", segments(9, []))


def segments(first: int, texts: list[bytes | None]) -> pa.Table:
    """A shard; its strings are not checked to be UTF-8, as no reader of Parquet checks."""
    raw = pa.array(texts, pa.binary())
    strings = pa.StringArray.from_buffers(len(raw), raw.buffers()[1], raw.buffers()[2], raw.buffers()[0])
    return pa.table({"segment_id": pa.array(range(first, first + len(texts)), pa.int64()), "text": strings})


def link(store: ArtifactStore, **params: object) -> Artifact:
    graph, corpus = make(Animals(), store).reference, make(Texts(), store).reference
    linker = make(BuildLinker(graph=graph), store).reference
    return make(LinkEntities(corpus=corpus, graph=graph, linker=linker, params=MentionParams(**params)), store)


def test_segments_that_cannot_be_linked_are_rejected_and_the_others_linked(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    mentions = link(store, max_segment_bytes=1000, max_reject_share=0.6)
    rejects = pq.read_table(mentions.path("rejects.parquet")).to_pylist()
    assert [(reject["source"], reject["record"], reject["reason"]) for reject in rejects] == [
        ("part-00001.parquet", "2", "it has no text"),
        ("part-00001.parquet", "3", "it is not UTF-8 (byte 6: invalid start byte)"),
        ("part-00001.parquet", "4", "it is longer than 1000 bytes"),
        ("part-00001.parquet", "5", "it has no text"),
        ("part-00001.parquet", "6", "it has no text"),
    ]
    assert mentions.manifest.counts == {"segments": 4, "mentions": 5, "segments_without_mentions": 2, "rejects": 5}
    rows = [row for part in mentions.parts for row in pq.read_table(mentions.path(part)).to_pylist()]
    linked = {row["segment_id"]: [NAMES[mention["node"]] for mention in row["mentions"]] for row in rows}
    assert linked == {0: ["dog", "saw", "see", "cat"], 1: [], 7: [], 8: ["cat"]}

    inputs = {name: record.reference for name, record in mentions.manifest.inputs.items() if name != "linker"}
    subgraphs = make(
        ExtractSubgraphs(mentions=mentions.reference, **inputs, params=SubgraphParams(relevance="degree")), store
    )
    rows = [row for part in subgraphs.parts for row in pq.read_table(subgraphs.path(part)).to_pylist()]
    assert [(row["segment_id"], row["text"]) for row in rows] == [
        *((0, "A dog saw two cats."), (1, "Nothing to report."), (7, "un café"), (8, "A cat.")),
    ]


def test_too_many_rejects_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TooManyRejectsError, match=r"4 of 9 records were rejected .* record 2 of part-00001.parquet"):
        link(ArtifactStore(str(tmp_path)))


def test_the_page_says_what_is_linked_and_shows_it(tmp_path: Path) -> None:
    page = link(ArtifactStore(str(tmp_path)), max_reject_share=1).path("summary.md").read_text(encoding="utf-8")
    assert "| segments with a mention | 60.0% of 5 |" in page
    assert "| nodes that are linked | 4 of 5 |" in page
    most_linked, most_ambiguous = page.split("## Most ")[1:]
    assert most_linked.startswith(
        "linked\n\n| node | mentions | of spans with several nodes |\n| --- | ---: | ---: |\n"
    )
    assert "| dog | 501 | 0 |\n| cat | 2 | 0 |" in most_linked
    assert "| saw | 1 | 1 |\n| see | 1 | 1 |" in most_ambiguous
    assert r"A **dog** **saw** \[saw, see\] two **cats** \[cat\]." in page


def test_linkers_of_other_parameters_are_other_artifacts(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    graph = make(Animals(), store).reference
    stages = [BuildLinker(graph=graph, params=DictionaryParams(inflections=value)) for value in (True, False)]
    first, second = (make(stage, store) for stage in stages)
    assert first.reference != second.reference
    assert first.manifest.counts["patterns"] > second.manifest.counts["patterns"] == len(NAMES)


def test_a_linker_of_another_graph_and_useless_annotations_are_refused(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    graph, corpus = make(Animals(), store).reference, make(Texts(), store).reference
    linker = make(BuildLinker(graph=graph), store).reference
    other = make(MoreAnimals(), store).reference
    with pytest.raises(LinkingError, match=f"{linker} finds the nodes of {graph}, not of {other}"):
        make(LinkEntities(corpus=corpus, graph=other, linker=linker), store)
    with pytest.raises(LinkingError, match="dictionary learns nothing from annotated documents"):
        BuildLinker(graph=graph, annotations=ExternalFiles(name="annotations", path="x", digest="0"))


def test_a_linker_by_lemmas_is_named_by_the_pipeline_it_is_built_with(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    linker = make(BuildLinker(graph=make(Animals(), store).reference, params=SpacyParams()), store)
    assert set(linker.manifest.inputs) == {"graph", "pipeline"}
    assert [[m.node for m in found] for found in open_linker(linker).link(["Two dogs", ""])] == [[0], []]


def test_biomedical_linkers_learn_from_annotated_documents(tmp_path: Path) -> None:
    marked = tmp_path / "marked.txt"
    lines = ["1|t|A hound and a cat", "1|a|Hound.", "1\t2\t7\thound\tAnimal\tdog", "1\t14\t17\tcat\tAnimal\tcat"]
    marked.write_text("\n".join(lines), encoding="utf-8")
    store = ArtifactStore(str(tmp_path / "store"))
    graph = make(Animals(), store).reference
    annotations = ExternalFiles.of("annotations", marked)
    linker = make(BuildLinker(graph=graph, annotations=annotations, params=ConceptParams()), store)
    assert linker.manifest.inputs["annotations"].digest == annotations.digest
    text = "A hound and a cat"
    found = open_linker(linker).link([text])[0]
    assert [(text[m.start : m.end], NAMES[m.node]) for m in found] == [("hound", "dog"), ("cat", "cat")]

    marked.write_bytes(b"1|t|caf\xe9\n")
    broken = BuildLinker(graph=graph, annotations=ExternalFiles.of("annotations", marked), params=ConceptParams())
    with pytest.raises(LinkingError, match=r"marked\.txt cannot be read as annotated documents"):
        make(broken, store)
