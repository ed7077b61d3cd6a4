"""The vectors of a corpus' texts, which extraction compares with those of nodes: one reading a text, once for all."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from dragon_core.artifacts import ArtifactReference, ExternalFiles, Inputs, Parameters, Shard, Stage
from dragon_core.embedding.schema import TEXT_VECTORS

if TYPE_CHECKING:
    from dragon_core.embedding.pooling import Float32s, TextEncoder

SEGMENTS_OF_A_BATCH = 4096


class TextVectorParams(Parameters):
    """How texts are embedded."""

    batch_size: int = Field(64, ge=1, description="Texts that the language model reads at once.")
    max_tokens: int = Field(128, ge=3, description="Tokens after which a text is cut.")


class EmbedTexts(Stage):
    """A shard of vectors for each corpus shard."""

    name: ClassVar[str] = "text-vectors"
    version: ClassVar[int] = 1

    corpus: ArtifactReference
    encoder: ExternalFiles
    params: TextVectorParams = TextVectorParams()

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """The corpus' shards."""
        return inputs.corpus.parts

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        """Embed shard by shard."""
        from dragon_core.embedding.pooling import TextEncoder

        encoder = TextEncoder.load(self.encoder.root)
        for shard in shards:
            with pq.ParquetFile(inputs.corpus.path(shard.name)) as file:
                batches = file.iter_batches(SEGMENTS_OF_A_BATCH, columns=["segment_id", "text"])
                shard.write_batches(shard.name, TEXT_VECTORS, (self._vectors(encoder, batch) for batch in batches))
                shard.count(texts=file.metadata.num_rows)

    def _vectors(self, encoder: "TextEncoder", batch: pa.RecordBatch) -> pa.RecordBatch:
        # What is not UTF-8 was rejected by linking, and its vector is never read.
        texts = [(text or b"").decode(errors="replace") for text in batch["text"].cast(pa.binary()).to_pylist()]
        vectors = encoder.embed_sorted(texts, self.params.max_tokens, self.params.batch_size)
        return pa.record_batch([batch["segment_id"], list_array(vectors)], schema=TEXT_VECTORS)


def list_array(vectors: "Float32s") -> pa.ListArray:
    """A column of vectors [S, d]."""
    offsets = pa.array(range(0, vectors.size + 1, vectors.shape[1]), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel()))
