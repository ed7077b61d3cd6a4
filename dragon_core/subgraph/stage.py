"""The stage that extracts a subgraph for every linked segment."""

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import model_validator

from dragon_core.artifacts import Artifact, ArtifactReference, ExternalFiles, Inputs, Shard, Stage
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking import Mentions
from dragon_core.subgraph.candidates import Float32s, NamedNodes
from dragon_core.subgraph.errors import SubgraphError
from dragon_core.subgraph.extraction import SubgraphExtractor
from dragon_core.subgraph.inputs import check_encoder, check_inputs, check_origins
from dragon_core.subgraph.opening import open_extractor
from dragon_core.subgraph.params import SubgraphParams
from dragon_core.subgraph.schema import subgraphs_schema

SEGMENTS_OF_A_BATCH = 1024


class ExtractSubgraphs(Stage):
    """A subgraphs shard for each mentions shard; a segment that names nothing keeps its text and an empty graph."""

    name: ClassVar[str] = "subgraphs"
    version: ClassVar[int] = 3

    mentions: ArtifactReference
    corpus: ArtifactReference
    graph: ArtifactReference
    entity_table: ArtifactReference | None = None
    text_vectors: ArtifactReference | None = None
    encoder: ExternalFiles | None = None
    params: SubgraphParams = SubgraphParams()

    @model_validator(mode="after")
    def _check_inputs(self) -> Self:
        vectors, scores = self.params.compares_vectors, self.params.scores_texts
        given = {"entity_table": self.entity_table, "text_vectors": self.text_vectors, "encoder": self.encoder}
        check_inputs(self.params, {"entity_table": vectors, "text_vectors": vectors, "encoder": scores}, **given)
        return self

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """The mentions' shards."""
        return inputs.mentions.parts

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        """Extract shard by shard.

        Raises:
            SubgraphError: The mentions or vectors are not those of this graph and corpus, or the graph has not the
                relations that are asked for.
        """
        self._check_origins(inputs)
        graph = KnowledgeGraph.open(inputs.graph.folder)
        table = inputs.entity_table.folder if self.entity_table else None
        extractor = open_extractor(graph, self.params, table, self.encoder.root if self.encoder else None)
        schema = subgraphs_schema(self.params.max_nodes, graph.num_relations)
        for shard in shards:
            mentions = pq.read_table(inputs.mentions.path(shard.name))
            texts = self._rows(inputs.corpus, shard.name, "text", mentions["segment_id"])
            vectors = None
            if self.text_vectors:
                vectors = self._rows(inputs.text_vectors, shard.name, "vector", mentions["segment_id"])
            shard.write_batches(shard.name, schema, _batches(extractor, mentions, texts, vectors, schema, shard))

    def _check_origins(self, inputs: Inputs) -> None:
        """Refuse inputs that were made from another graph, corpus or encoder than one another."""
        expected = [(inputs.mentions, "graph", self.graph), (inputs.mentions, "corpus", self.corpus)]
        if self.entity_table:
            expected.append((inputs.entity_table, "graph", self.graph))
        if self.text_vectors:
            expected.append((inputs.text_vectors, "corpus", self.corpus))
        check_origins(expected)
        if self.text_vectors:
            check_encoder(inputs.text_vectors, inputs.entity_table.manifest.inputs["encoder"].digest)

    def _rows(self, artifact: Artifact, name: str, column: str, segment_ids: pa.ChunkedArray) -> pa.Array:
        wanted = pc.field("segment_id").isin(segment_ids)
        rows = pq.read_table(artifact.path(name), columns=["segment_id", column], filters=wanted)
        if rows["segment_id"] != segment_ids:
            raise SubgraphError(
                f"Shard {name} of {self.mentions} links other segments than {artifact.reference} holds; make both anew."
            )
        return rows[column].combine_chunks()


def _batches(
    extractor: SubgraphExtractor,
    mentions: pa.Table,
    texts: pa.Array,
    vectors: pa.Array | None,
    schema: pa.Schema,
    shard: Shard,
) -> Iterator[pa.RecordBatch]:
    segment_ids, linked = (mentions[name].combine_chunks() for name in ("segment_id", "mentions"))
    for start in range(0, len(mentions), SEGMENTS_OF_A_BATCH):
        rows = slice(start, start + SEGMENTS_OF_A_BATCH)
        found = extractor.extract(
            _named(linked[rows]), None, texts[rows].to_pylist(), None if vectors is None else _matrix(vectors[rows])
        )
        shard.count(
            segments=len(found),
            nodes=len(found.node_id),
            edges=len(found.head),
            segments_without_nodes=int((np.diff(found.node_offsets) == 0).sum()),
        )
        columns = {"segment_id": segment_ids[rows], "text": texts[rows]}
        yield pa.record_batch(columns | found.to_arrow(schema), schema=schema)


def _named(mentions: pa.ListArray) -> NamedNodes:
    linked = Mentions.from_arrow(mentions)
    return NamedNodes(linked.offsets, linked.nodes, linked.scores)


def _matrix(vectors: pa.ListArray) -> Float32s:
    return np.asarray(vectors.flatten()).reshape(len(vectors), -1)
