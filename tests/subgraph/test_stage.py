"""From a corpus shard to a subgraphs shard, through the real stages between them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import datasets
import duckdb
import numpy as np
import polars as pl
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
from dragon_core.embedding import EmbedNodes, EmbedTexts, TextVectorParams
from dragon_core.embedding.encoder import find_encoder
from dragon_core.graph import Relation, write_graph
from dragon_core.linking import BuildLinker, LinkEntities
from dragon_core.subgraph import ExtractSubgraphs, SubgraphError, SubgraphParams
from tests.graph.graphs import tables_of

NAMES = ["dog", "cat", "animal", "stone", "pet", "kitchen floor", "toy"]
TEXTS = ["A dog chased two cats.", "Nothing to see here.", "The animal slept on a stone."]
IS_A, AT = Relation("is a", "{head} is a {tail}"), Relation("at", "{head} is at {tail}")
TRIPLES = [(0, 0, 2), (1, 0, 2), (0, 0, 4), (1, 0, 4), (0, 1, 5), (1, 1, 5), (0, 1, 6), (1, 1, 6)]


class Animals(Stage):
    """A graph in which dogs and cats are animals and pets, and may be on the kitchen floor."""

    name = "graph"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        write_graph(draft, tables_of(NAMES, [IS_A, AT], TRIPLES))


class SentencesParams(Parameters):
    texts: tuple[str, ...] = tuple(TEXTS)


class Sentences(Stage):
    """A corpus of two shards; its second segment cannot be linked if it is empty."""

    name = "corpus"
    version = 1
    params: SentencesParams = SentencesParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        texts = list(self.params.texts)
        draft.write_table("part-00000.parquet", pa.table({"segment_id": [0, 1], "text": texts[:2]}))
        draft.write_table("part-00001.parquet", pa.table({"segment_id": [2], "text": texts[2:]}))


class Prepared:
    """What extraction reads, made in a store."""

    encoder: ClassVar[ExternalFiles] = find_encoder("embedded")

    def __init__(self, store: ArtifactStore, texts: tuple[str, ...] = tuple(TEXTS)) -> None:
        self.store = store
        self.graph = make(Animals(), store).reference
        self.corpus = make(Sentences(params=SentencesParams(texts=texts)), store).reference
        linker = make(BuildLinker(graph=self.graph), store).reference
        mentions = LinkEntities(corpus=self.corpus, graph=self.graph, linker=linker)
        mentions = mentions.model_copy(update={"params": mentions.params.model_copy(update={"max_reject_share": 1.0})})
        self.mentions = make(mentions, store).reference
        self.inputs: dict[str, Any] = {"mentions": self.mentions, "corpus": self.corpus, "graph": self.graph}

    def vectors(self) -> dict[str, Any]:
        table = make(EmbedNodes(graph=self.graph, encoder=self.encoder), self.store).reference
        texts = make(EmbedTexts(corpus=self.corpus, encoder=self.encoder), self.store).reference
        return {"entity_table": table, "text_vectors": texts}

    def subgraphs(self, relevance: str, **params: Any) -> Artifact:
        more: dict[str, dict[str, Any]] = {"similarity": self.vectors(), "lm": {"encoder": self.encoder}}
        stage = ExtractSubgraphs(
            **self.inputs, **more.get(relevance, {}), params=SubgraphParams(relevance=relevance, **params)
        )
        return make(stage, self.store)


def rows_of(artifact: Artifact) -> list[dict[str, Any]]:
    return [row for part in artifact.parts for row in pq.read_table(artifact.path(part)).to_pylist()]


def test_a_corpus_becomes_subgraphs_shard_by_shard(tmp_path: Path) -> None:
    prepared = Prepared(ArtifactStore(str(tmp_path)))
    subgraphs = prepared.subgraphs("degree")
    assert subgraphs.parts == ["part-00000.parquet", "part-00001.parquet"]
    rows = rows_of(subgraphs)
    assert [row["text"] for row in rows] == TEXTS
    # Dogs and cats, then what both touch: the node of fewest edges, then of the smallest id, first.
    assert [NAMES[node] for node in rows[0]["node_id"]] == ["dog", "cat", "animal", "pet", "kitchen floor", "toy"]
    assert rows[0]["node_type"] == [0, 0, 2, 2, 2, 2]
    triples = [
        (NAMES[rows[0]["node_id"][h]], r, NAMES[rows[0]["node_id"][t]])
        for h, r, t in zip(rows[0]["head"], rows[0]["relation"], rows[0]["tail"], strict=True)
    ]
    assert sorted(triples) == sorted((NAMES[h], r, NAMES[t]) for h, r, t in TRIPLES)
    assert rows[1]["node_id"] == []
    assert subgraphs.manifest.counts == {
        "segments": 3,
        "nodes": 8,
        "edges": 8,
        "segments_without_nodes": 1,
        "rejects": 0,
    }


@pytest.mark.parametrize("relevance", ["similarity", "lm", "ppr", "random"])
def test_what_is_kept_is_most_relevant(tmp_path: Path, relevance: str) -> None:
    prepared = Prepared(ArtifactStore(str(tmp_path)))
    whole, pruned = (rows_of(prepared.subgraphs(relevance, max_nodes=most))[0] for most in (6, 4))
    assert whole["node_score"][2:] == sorted(whole["node_score"][2:], reverse=True)
    assert all(0 <= score <= 1 for score in whole["node_score"])
    assert pruned["node_id"] == whole["node_id"][:4]


def test_similarity_compares_the_vectors_of_text_and_node(tmp_path: Path) -> None:
    prepared = Prepared(ArtifactStore(str(tmp_path)))
    row = rows_of(prepared.subgraphs("similarity"))[0]
    vectors = prepared.vectors()
    table = np.load(prepared.store.get(vectors["entity_table"]).path("entities.npy"))
    texts = pq.read_table(prepared.store.get(vectors["text_vectors"]).path("part-00000.parquet"))
    text = np.array(texts["vector"][0].as_py())
    for node, score in list(zip(row["node_id"], row["node_score"], strict=True))[2:]:
        cosine = text @ table[node] / np.linalg.norm(text) / np.linalg.norm(table[node])
        assert score == pytest.approx(cosine, abs=1e-5)


def test_rejected_segments_leave_their_vectors_behind(tmp_path: Path) -> None:
    prepared = Prepared(ArtifactStore(str(tmp_path)), texts=("   ", "A dog chased two cats.", "Cats."))
    rows = rows_of(prepared.subgraphs("similarity"))
    assert [row["segment_id"] for row in rows] == [1, 2]
    alone = Prepared(ArtifactStore(str(tmp_path / "other")), texts=("A dog chased two cats.", "Dogs.", "Cats."))
    assert rows[0]["node_score"] == pytest.approx(rows_of(alone.subgraphs("similarity"))[0]["node_score"], abs=1e-5)


def by_datasets(path: Path) -> list[dict[str, Any]]:
    loaded = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(path.parent / "cache"))
    return [dict(row) for row in loaded]


def by_duckdb(path: Path) -> list[dict[str, Any]]:
    result = duckdb.sql(f"select * from '{path}'")
    return [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]


@pytest.mark.parametrize("read", [by_datasets, by_duckdb, lambda path: pl.read_parquet(path).to_dicts()])
@pytest.mark.parametrize(("max_nodes", "position"), [(256, pa.uint8()), (257, pa.int16())])
def test_shards_are_small_and_open_elsewhere(
    tmp_path: Path, read: Callable[[Path], list[dict[str, Any]]], max_nodes: int, position: pa.DataType
) -> None:
    subgraphs = Prepared(ArtifactStore(str(tmp_path / "store"))).subgraphs("degree", max_nodes=max_nodes)
    path = subgraphs.path("part-00000.parquet")
    schema = pq.read_schema(path)
    assert [schema.field(name).type.value_type for name in ("head", "relation", "tail")] == [
        position,
        pa.uint8(),
        position,
    ]
    assert read(path) == pq.read_table(path).to_pylist()


def test_inputs_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    prepared = Prepared(ArtifactStore(str(tmp_path)))
    vectors = prepared.vectors()
    with pytest.raises(SubgraphError, match="similarity needs entity_table and text_vectors; give it"):
        ExtractSubgraphs(**prepared.inputs)
    with pytest.raises(SubgraphError, match="ppr does not read entity_table and text_vectors; give none"):
        ExtractSubgraphs(**prepared.inputs, **vectors, params=SubgraphParams(relevance="ppr"))

    other = Prepared(prepared.store, texts=("One.", "Two.", "Three."))
    mixed = prepared.inputs | vectors | {"text_vectors": other.vectors()["text_vectors"]}
    with pytest.raises(SubgraphError, match=r"was made from corpus/\w+, not from corpus/\w+; give inputs of one"):
        make(ExtractSubgraphs(**mixed), prepared.store)

    copied = ExternalFiles(name="copy", path=prepared.encoder.path, digest="0" * 64)
    texts = make(EmbedTexts(corpus=prepared.corpus, encoder=copied, params=TextVectorParams()), prepared.store)
    with pytest.raises(SubgraphError, match="are vectors of two encoders"):
        make(ExtractSubgraphs(**prepared.inputs | vectors | {"text_vectors": texts.reference}), prepared.store)
