from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from transformers import AutoConfig

from dragon_core.artifacts import ArtifactStore, Draft, Inputs, Parameters, Progress, Stage, make
from dragon_core.embedding import TEXT_VECTORS, EmbedTexts, TextVectorParams
from dragon_core.embedding.encoder import find_encoder
from dragon_core.embedding.pooling import TextEncoder

TEXTS = ["A dog.", None, "The animal slept on a stone all day long.", "A dog.", ""]


class Corpus(Stage):
    """Segments, one without text and one that is not UTF-8."""

    name = "corpus"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        texts = pa.array([*(text and text.encode() for text in TEXTS), b"\xff dog"]).view(pa.string())
        draft.write_table("part-00000.parquet", pa.table({"segment_id": pa.array(range(10, 16)), "text": texts}))


def test_each_segment_has_the_vector_of_its_text(tmp_path: Path) -> None:
    store, encoder = ArtifactStore(str(tmp_path)), find_encoder("embedded")
    stage = EmbedTexts(
        corpus=make(Corpus(), store).reference, encoder=encoder, params=TextVectorParams(batch_size=2, max_tokens=8)
    )
    artifact = make(stage, store)
    table = pq.read_table(artifact.path("part-00000.parquet"))
    assert table.schema.equals(TEXT_VECTORS)
    assert table["segment_id"].to_pylist() == list(range(10, 16))
    assert artifact.manifest.counts["texts"] == 6
    model = TextEncoder.load(encoder.root)
    for text, vector in zip([text or "" for text in TEXTS], table["vector"].to_pylist(), strict=False):
        np.testing.assert_allclose(vector, model.embed([text], 8)[0], atol=1e-5)


def test_texts_are_cut_where_the_encoder_ends() -> None:
    folder = find_encoder("embedded").root
    most = AutoConfig.from_pretrained(folder).max_position_embeddings
    encoder, text = TextEncoder.load(folder), "dog " * 2 * most
    np.testing.assert_array_equal(encoder.embed([text], 2 * most), encoder.embed([text], most))
    assert not np.allclose(encoder.embed([text], most), encoder.embed([text], most // 2))
