"""The stage that extracts a subgraph for every linked segment."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dragon_core.artifacts import ArtifactReference, Inputs, Shard, Stage
from dragon_core.graph import KnowledgeGraph
from dragon_core.subgraph.extraction import SubgraphExtractor, SubgraphParams
from dragon_core.subgraph.schema import SUBGRAPHS


class ExtractSubgraphs(Stage):
    """A subgraphs shard for each mentions shard; a segment that names nothing keeps its text and an empty graph."""

    name = "subgraphs"
    version = 1
    mentions: ArtifactReference
    corpus: ArtifactReference
    graph: ArtifactReference
    params: SubgraphParams = SubgraphParams()

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """The mentions' shards."""
        return inputs.mentions.parts

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        """Extract shard by shard."""
        extractor = SubgraphExtractor(KnowledgeGraph.open(inputs.graph.folder), self.params)
        for shard in shards:
            mentions = pq.read_table(inputs.mentions.path(shard.name))
            is_linked = pc.field("segment_id").isin(mentions["segment_id"])
            texts = pq.read_table(inputs.corpus.path(shard.name), columns=["segment_id", "text"], filters=is_linked)
            if texts["segment_id"] != mentions["segment_id"]:
                raise ValueError(f"Shard {shard.name} of {self.mentions} links other segments than {self.corpus} holds")
            rows = [
                _row(extractor, segment_id, text, found)
                for segment_id, text, found in zip(
                    texts["segment_id"].to_pylist(),
                    texts["text"].to_pylist(),
                    mentions["mentions"].to_pylist(),
                    strict=True,
                )
            ]
            columns = {name: [row[name] for row in rows] for name in SUBGRAPHS.names}
            shard.write_table(shard.name, pa.Table.from_pydict(columns, schema=SUBGRAPHS))
            shard.count(
                segments=len(rows),
                nodes=sum(len(row["node_id"]) for row in rows),
                edges=sum(len(row["head"]) for row in rows),
                segments_without_nodes=sum(not len(row["node_id"]) for row in rows),
            )


def _row(extractor: SubgraphExtractor, segment_id: int, text: str, mentions: list[dict[str, Any]]) -> dict[str, Any]:
    scores: dict[int, float] = {}
    for mention in mentions:
        scores[mention["node"]] = max(mention["score"], scores.get(mention["node"], 0.0))
    subgraph = extractor.extract(list(scores), scores=scores)
    return {"segment_id": segment_id, "text": text, **vars(subgraph)}
