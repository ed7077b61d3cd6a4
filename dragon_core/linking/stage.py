"""The stages that build a linker of a graph, and link a corpus with it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Parameters, Progress, Shard, Stage
from dragon_core.artifacts.draft import SUMMARY_NAME
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking.errors import LinkingError
from dragon_core.linking.linkers import build_linker, open_linker
from dragon_core.linking.mention import Mention, Mentions
from dragon_core.linking.parameters import ConceptParams, DictionaryParams, LinkingParams, SpacyParams
from dragon_core.linking.report import report_markdown
from dragon_core.linking.schema import MENTIONS
from dragon_core.linking.segments import read_segments
from dragon_core.linking.statistics import LinkingStatistics

SAMPLE_SIZE = 20


class BuildLinker(Stage):
    """What finds a graph's nodes in text, built once a graph and opened by every process that links."""

    name: ClassVar[str] = "linker"
    version: ClassVar[int] = 1

    graph: ArtifactReference
    annotations: ExternalFiles | None = None
    params: LinkingParams = DictionaryParams()

    @model_validator(mode="after")
    def _check_annotations(self) -> Self:
        if self.annotations is not None and not isinstance(self.params, ConceptParams):
            raise LinkingError(
                f"The method {self.params.method} learns nothing from annotated documents; link by concept, or give"
                " none."
            )
        return self

    @property
    def external(self) -> dict[str, ExternalFiles]:
        """The annotated documents, and the spaCy pipeline whose lemmas are compared."""
        if isinstance(self.params, SpacyParams):
            from dragon_core.linking.lemmas.tagging import pipeline_files

            return super().external | {"pipeline": pipeline_files(self.params.pipeline)}
        return super().external

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Build the linker.

        Raises:
            LinkingError: The method cannot be built here, or the annotations cannot be read.
        """
        build_linker(KnowledgeGraph.open(inputs.graph.folder), self.params, self.annotations, draft, progress)


class MentionParams(Parameters):
    """Which segments are linked."""

    max_segment_bytes: int = Field(1_000_000, ge=1000, description="A longer text is rejected.")
    max_reject_share: float = Field(
        0.01, ge=0, le=1, description="The stage fails when a larger share of the segments cannot be linked."
    )


class LinkEntities(Stage):
    """A mentions shard for each corpus shard, without the segments that cannot be linked."""

    name: ClassVar[str] = "mentions"
    version: ClassVar[int] = 3

    corpus: ArtifactReference
    graph: ArtifactReference
    linker: ArtifactReference
    params: MentionParams = MentionParams()

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """The corpus' shards."""
        return inputs.corpus.parts

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        """Link shard by shard.

        Raises:
            LinkingError: The linker is of another graph.
        """
        of_linker = inputs.linker.manifest.inputs["graph"].reference
        if of_linker != self.graph:
            raise LinkingError(
                f"{self.linker} finds the nodes of {of_linker}, not of {self.graph}; give one of the two."
            )
        linker = open_linker(inputs.linker)
        for shard in shards:
            segments = read_segments(inputs.corpus.path(shard.name), self.params.max_segment_bytes, shard.reject)
            batches = [
                pa.record_batch([ids, linker.link(texts).to_arrow()], schema=MENTIONS) for ids, texts in segments
            ]
            table = pa.Table.from_batches(batches, MENTIONS)
            shard.write_table(shard.name, table)
            counts = pc.list_value_length(table["mentions"])
            shard.count(
                segments=len(table),
                mentions=pc.sum(counts).as_py() or 0,
                segments_without_mentions=pc.sum(pc.equal(counts, 0)).as_py() or 0,
            )

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write `summary.md`: how much is linked and to what, and some linked texts to spot bad links by eye.

        Raises:
            TooManyRejectsError: Too many segments could not be linked.
        """
        draft.check_rejects(draft.counts["segments"] + len(draft.rejects), self.params.max_reject_share)
        graph = KnowledgeGraph.open(inputs.graph.folder)
        statistics = LinkingStatistics(graph.num_nodes)
        sample: list[tuple[str, list[Mention]]] = []
        parts = inputs.corpus.parts
        for number, part in enumerate(parts):
            table = pq.read_table(draft.path(part))
            mentions = Mentions.from_arrow(table["mentions"].combine_chunks())
            statistics.add(mentions)
            wanted = SAMPLE_SIZE * (number + 1) // len(parts) - SAMPLE_SIZE * number // len(parts)
            sample += _sample(inputs.corpus.path(part), table["segment_id"], mentions, wanted)
            progress(number + 1, len(parts))
        with draft.writing(SUMMARY_NAME) as path:
            path.write_text(report_markdown(statistics, sample, graph.names), encoding="utf-8")


def _sample(path: Path, ids: pa.ChunkedArray, mentions: Mentions, size: int) -> Iterator[tuple[str, list[Mention]]]:
    """Some texts of a shard, spread over it, with their mentions."""
    if not size or not len(ids):
        return
    rows = range(0, len(ids), max(len(ids) // size, 1))[:size]
    wanted = ids.take(pa.array(rows))
    texts = pq.read_table(path, columns=["segment_id", "text"], filters=pc.field("segment_id").isin(wanted))
    by_id = dict(zip(texts["segment_id"].to_pylist(), texts["text"].to_pylist(), strict=True))
    yield from ((by_id[segment], mentions[row]) for segment, row in zip(wanted.to_pylist(), rows, strict=True))
