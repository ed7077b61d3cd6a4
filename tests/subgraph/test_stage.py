"""Linking and extraction as stages, from a corpus shard to a subgraphs shard."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts import ArtifactStore, Draft, Inputs, Parameters, Progress, Stage, make
from dragon_core.graph import Relation, write_graph
from dragon_core.linking import MENTIONS, BuildLinker, LinkEntities
from dragon_core.subgraph import SUBGRAPHS, ExtractSubgraphs
from tests.graph.graphs import tables_of

NAMES = ["dog", "cat", "animal", "stone"]
TEXTS = ["A dog chased two cats.", "Nothing to see here.", "The animal slept on a stone."]


class Animals(Stage):
    """A graph in which dogs and cats are animals."""

    name = "graph"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        write_graph(draft, tables_of(NAMES, [Relation("is a", "{head} is a {tail}")], [(0, 0, 2), (1, 0, 2)]))


class Sentences(Stage):
    """A corpus of two shards."""

    name = "corpus"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        draft.write_table("part-00000.parquet", pa.table({"segment_id": [0, 1], "text": TEXTS[:2]}))
        draft.write_table("part-00001.parquet", pa.table({"segment_id": [2], "text": TEXTS[2:]}))


def test_a_corpus_becomes_subgraphs_shard_by_shard(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    graph, corpus = make(Animals(), store), make(Sentences(), store)
    linker = make(BuildLinker(graph=graph.reference), store)
    inputs = {"corpus": corpus.reference, "graph": graph.reference, "linker": linker.reference}
    mentions = make(LinkEntities(**inputs), store)
    assert mentions.manifest.counts == {"segments": 3, "mentions": 4, "segments_without_mentions": 1, "rejects": 0}
    assert pq.read_schema(mentions.path("part-00000.parquet")).equals(MENTIONS)
    assert r"**dog** chased two **cats** \[cat\]" in mentions.path("summary.md").read_text()

    stage = ExtractSubgraphs(mentions=mentions.reference, corpus=corpus.reference, graph=graph.reference)
    subgraphs = make(stage, store)
    assert subgraphs.parts == corpus.parts
    assert pq.read_schema(subgraphs.path("part-00000.parquet")).equals(SUBGRAPHS)
    rows = [row for part in subgraphs.parts for row in pq.read_table(subgraphs.path(part)).to_pylist()]
    assert [row["text"] for row in rows] == TEXTS
    assert [NAMES[node] for node in rows[0]["node_id"]] == ["dog", "cat", "animal"]
    assert rows[0]["node_type"] == [0, 0, 2]
    assert list(zip(rows[0]["head"], rows[0]["tail"], strict=True)) == [(0, 2), (1, 2)]
    assert rows[1]["node_id"] == []
    assert subgraphs.manifest.counts["segments_without_nodes"] == 1
