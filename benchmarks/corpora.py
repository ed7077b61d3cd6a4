"""A corpus of any size made of real sentences, and random vectors for it, as artifacts of their own stages."""

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.conceptnet import conceptnet_tables, questions
from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Parameters, Progress, Shard, Stage
from dragon_core.embedding import ENTITIES_NAME, TEXT_VECTORS
from dragon_core.embedding.texts import list_array
from dragon_core.graph import KnowledgeGraph, write_graph
from tests.shared_data import SHARED_DATA

VECTOR_SIZE = 128
SEGMENTS_OF_A_SHARD = 10_000
# Of a corpus that one such shard would hold.
SHARDS_OF_A_SMALL_CORPUS = 10
SHORTEST = 20


@cache
def sentences() -> list[str]:
    """CommonsenseQA's stems, OpenBookQA's facts and WikiText-2's sentences; none if they are not there."""
    found = [item["stem"] for item in questions("train", "dev")]
    for name in ("obqa/openbook.txt", "obqa/crowdsourced-facts.txt", "wikitext2/valid.txt", "wikitext2/test.txt"):
        file = SHARED_DATA / name
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            found += [sentence.strip(' "') for sentence in line.split(" . ")]
    return [sentence for sentence in found if len(sentence) >= SHORTEST]


class ConceptNetParams(Parameters):
    """How much of it."""

    every: int = 1


class ConceptNetSubsets(Stage):
    """The graph of both subsets of ConceptNet."""

    name: ClassVar[str] = "graph"
    version: ClassVar[int] = 1
    params: ConceptNetParams = ConceptNetParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write the graph."""
        tables = conceptnet_tables(self.params.every)
        assert tables is not None
        write_graph(draft, tables)


class SentencesParams(Parameters):
    """How large the corpus is."""

    segments: int


class Sentences(Stage):
    """A corpus of sentences drawn with replacement, a sentence a segment."""

    name: ClassVar[str] = "corpus"
    version: ClassVar[int] = 1
    params: SentencesParams

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write the shards."""
        random, known = np.random.default_rng(0), sentences()
        segments = self.params.segments
        is_small = segments <= SEGMENTS_OF_A_SHARD
        size = math.ceil(segments / SHARDS_OF_A_SMALL_CORPUS) if is_small else SEGMENTS_OF_A_SHARD
        for number, start in enumerate(range(0, segments, size)):
            ids = range(start, min(start + size, segments))
            texts = [known[i] for i in random.integers(len(known), size=len(ids))]
            draft.write_table(f"part-{number:05}.parquet", pa.table({"segment_id": ids, "text": texts}))


class RandomEntityTable(Stage):
    """Random vectors of a graph's nodes: extraction reads them like any others."""

    name: ClassVar[str] = "entity-table"
    version: ClassVar[int] = 1
    graph: ArtifactReference
    encoder: ExternalFiles
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write the table."""
        size = KnowledgeGraph.open(inputs.graph.folder).num_nodes
        table = np.random.default_rng(0).normal(size=(size, VECTOR_SIZE)).astype(np.float32)
        with draft.writing(ENTITIES_NAME) as path, path.open("wb") as file:
            np.save(file, table)


class RandomTextVectors(Stage):
    """Random vectors of a corpus' texts."""

    name: ClassVar[str] = "text-vectors"
    version: ClassVar[int] = 1
    corpus: ArtifactReference
    encoder: ExternalFiles
    params: Parameters = Parameters()

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """The corpus' shards."""
        return inputs.corpus.parts

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        """Write shard by shard."""
        for shard in shards:
            random = np.random.default_rng(int(shard.name[5:10]))
            ids = pq.read_table(inputs.corpus.path(shard.name), columns=["segment_id"])["segment_id"]
            vectors = random.normal(size=(len(ids), VECTOR_SIZE)).astype(np.float32)
            shard.write_table(shard.name, pa.table([ids, list_array(vectors)], schema=TEXT_VECTORS))
