"""The stage that makes the corpus."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from dragon_core.artifacts import Draft, ExternalFiles, Inputs, Parameters, Progress, Stage
from dragon_core.corpus.documents import CorpusReader, Document
from dragon_core.corpus.errors import EmptyCorpusError
from dragon_core.corpus.holdout import Holdout
from dragon_core.corpus.obo import OboReader
from dragon_core.corpus.schema import HOLDOUT, HOLDOUT_NAME
from dragon_core.corpus.segmentation import Segment, pack
from dragon_core.corpus.shards import TableStream, sample, write_segments
from dragon_core.corpus.text import TextReader
from dragon_core.corpus.wordnet import WordNetReader


class CorpusParams(Parameters):
    """What the corpus is made of, and how it is divided."""

    source: Literal["wordnet", "text", "obo"] = Field(
        "wordnet",
        description="wordnet: its definitions and usage examples; text: a folder of .txt and .jsonl files (or .gz);"
        " obo: the definitions of an ontology",
    )
    words_per_segment: int = Field(64, ge=8, le=4096, description="Most words in a segment")
    holdout_share: float = Field(
        0.05, ge=0, le=0.5, description="Share of the documents that is kept from pretraining, for evaluation"
    )
    segments_per_shard: int = Field(2000, ge=1, le=1_000_000, description="Segments in a shard; the last has fewer")
    max_segments: int | None = Field(
        None, ge=1, description="Keep a random sample of at most this many segments (it is held in memory)"
    )
    seed: int = Field(0, ge=0, description="Decides what is held out and which segments are in a sample")
    max_reject_share: float = Field(
        0.01, ge=0, le=1, description="The stage fails when a larger share of the source's records cannot be read"
    )
    max_record_bytes: int = Field(
        1_000_000, ge=1000, description="Text: a longer line is rejected, a longer run of lines is several documents"
    )


class BuildCorpus(Stage):
    """Reads documents, holds some out, and packs the others into shards of segments, in one streaming pass."""

    name: ClassVar[str] = "corpus"
    version: ClassVar[int] = 1

    source: ExternalFiles
    params: CorpusParams = CorpusParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Make the corpus.

        Raises:
            EmptyCorpusError: There is nothing to pretrain on.
        """
        params = self.params
        reader = self._reader()
        holdout = Holdout(reader.definitions(), params.holdout_share, params.seed)
        with draft.writing(HOLDOUT_NAME) as path, TableStream(path, HOLDOUT) as held_out:
            documents = self._documents_to_read(reader, holdout, held_out, draft, progress)
            segments = _without_held_out(pack(documents, params.words_per_segment), holdout, draft)
            if params.max_segments is not None:
                segments = sample(segments, params.max_segments, params.seed)
            write_segments(draft, segments, params.segments_per_shard)
        progress(reader.total, reader.total)
        draft.check_rejects(draft.counts["documents"] + len(draft.rejects), params.max_reject_share)
        if not draft.counts["segments"]:
            raise EmptyCorpusError(
                f"The corpus {self.source.path} is empty: {draft.counts['documents']} documents were read,"
                f" {draft.counts['held_out']} of them held out, and none is left to pretrain on; give more text."
            )

    def _reader(self) -> CorpusReader:
        match self.params.source:
            case "wordnet":
                return WordNetReader(self.source.root)
            case "obo":
                return OboReader(self.source.root)
            case "text":
                return TextReader(self.source.root, self.params.max_record_bytes)

    def _documents_to_read(
        self, reader: CorpusReader, holdout: Holdout, held_out: TableStream, draft: Draft, progress: Progress
    ) -> Iterator[Document]:
        for document in reader.documents(draft.reject):
            is_held_out = holdout.holds(document.identity)
            draft.count(documents=1, held_out=int(is_held_out))
            if is_held_out:
                held_out.write({"doc_id": document.doc_id, "text": document.identity, "source": document.source})
            else:
                yield document
            progress(reader.done, reader.total)


def _without_held_out(segments: Iterator[Segment], holdout: Holdout, draft: Draft) -> Iterator[Segment]:
    for segment in segments:
        cleaned = holdout.clean(segment)
        draft.count(sentences_that_repeat_held_out=len(segment.sentences) - len(cleaned.sentences))
        if cleaned.sentences:
            yield cleaned
