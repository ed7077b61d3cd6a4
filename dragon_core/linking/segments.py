"""Segments of a corpus shard, without those that cannot be linked."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SEGMENTS_OF_A_BATCH = 4096


def read_segments(
    shard: Path, max_bytes: int, reject: Callable[[str, int | str, str], None]
) -> Iterator[tuple[pa.Array, list[str]]]:
    """Ids and texts of a shard's segments, in batches.

    Args:
        shard: Parquet file with `segment_id` and `text`.
        max_bytes: Longest text, in bytes of UTF-8.
        reject: Told (file name, segment id, reason) of each segment that is left out.
    """
    for batch in pq.ParquetFile(shard).iter_batches(SEGMENTS_OF_A_BATCH, columns=["segment_id", "text"]):
        ids, texts = batch["segment_id"], batch["text"]
        problems = {
            position: problem
            for position, text in enumerate(texts.cast(pa.binary()).to_pylist())
            if (problem := _problem(text, max_bytes))
        }
        for position, problem in problems.items():
            reject(shard.name, ids[position].as_py(), problem)
        if problems:
            kept = pa.array([position not in problems for position in range(len(ids))])
            ids, texts = ids.filter(kept), texts.filter(kept)
        yield ids, texts.to_pylist()


def _problem(text: bytes | None, max_bytes: int) -> str | None:
    if text is None:
        return "it has no text"
    if len(text) > max_bytes:
        return f"it is longer than {max_bytes} bytes"
    try:
        return None if text.decode().strip() else "it has no text"
    except UnicodeDecodeError as error:
        return f"it is not UTF-8 (byte {error.start}: {error.reason})"
