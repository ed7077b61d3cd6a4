"""The stage that links a corpus to a graph."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts import ArtifactReference, Draft, Inputs, Progress, Shard, Stage
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking.dictionary import DictionaryLinker, LinkingParams
from dragon_core.linking.inspect import linked_text_markdown
from dragon_core.linking.mention import Mention
from dragon_core.linking.schema import MENTIONS

SAMPLE_SIZE = 10


class LinkEntities(Stage):
    """A mentions shard for each corpus shard."""

    name = "mentions"
    version = 2
    corpus: ArtifactReference
    graph: ArtifactReference
    params: LinkingParams = LinkingParams()

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """The corpus' shards."""
        return inputs.corpus.parts

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        """Link shard by shard."""
        linker = DictionaryLinker(KnowledgeGraph.open(inputs.graph.folder).names, self.params)
        for shard in shards:
            table = pq.read_table(inputs.corpus.path(shard.name), columns=["segment_id", "text"])
            linked = linker.link(table["text"].to_pylist())
            rows = [[vars(mention) for mention in mentions] for mentions in linked]
            columns = {"segment_id": table["segment_id"], "mentions": rows}
            shard.write_table(shard.name, pa.Table.from_pydict(columns, schema=MENTIONS))
            shard.count(
                segments=len(rows),
                mentions=sum(map(len, rows)),
                segments_without_mentions=sum(not mentions for mentions in rows),
            )

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write `summary.md`: some linked texts, to spot bad links by eye."""
        if not inputs.corpus.parts:
            return
        names = KnowledgeGraph.open(inputs.graph.folder).names
        texts = pq.read_table(inputs.corpus.path(inputs.corpus.parts[0]), columns=["text"])["text"]
        sample = texts[:: max(len(texts) // SAMPLE_SIZE, 1)].to_pylist()[:SAMPLE_SIZE]
        linked: list[list[Mention]] = DictionaryLinker(names, self.params).link(sample)
        pages = [linked_text_markdown(text, found, names) for text, found in zip(sample, linked, strict=True)]
        with draft.writing("summary.md") as path:
            path.write_text("## Linked text\n\n" + "\n\n".join(pages) + "\n", encoding="utf-8")
