"""Writes segments into shards, and samples them."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from heapq import heappush, heappushpop
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts import Draft
from dragon_core.corpus.schema import SEGMENTS, part_name
from dragon_core.corpus.segmentation import Segment

ROWS_IN_MEMORY = 4096


class TableStream:
    """A Parquet file written row by row, in little memory. A context manager."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        self._writer.close()

    def write(self, row: dict[str, Any]) -> None:
        """Add a row."""
        self._rows.append(row)
        if len(self._rows) == ROWS_IN_MEMORY:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def write_segments(draft: Draft, segments: Iterable[Segment], segments_per_shard: int) -> None:
    """Number the segments and write shards of equally many; only the last one may have fewer."""
    numbered = enumerate(segments)
    shard = 0
    while batch := list(islice(numbered, segments_per_shard)):
        columns = [
            [number for number, _ in batch],
            [segment.doc_ids for _, segment in batch],
            [segment.text for _, segment in batch],
            [segment.source for _, segment in batch],
        ]
        draft.write_table(part_name(shard), pa.table(columns, schema=SEGMENTS))
        draft.count(
            segments=len(batch),
            sentences=sum(len(segment.sentences) for _, segment in batch),
            words=sum(len(segment.text.split()) for _, segment in batch),
        )
        shard += 1


def sample(segments: Iterable[Segment], size: int, seed: int) -> Iterator[Segment]:
    """A random sample without replacement, in the order of the corpus; `size` segments are held in memory.

    Those whose number hashes to the smallest values are kept, so a larger sample contains a smaller one.
    """
    kept: list[tuple[int, int, Segment]] = []
    for number, segment in enumerate(segments):
        digest = blake2b(f"{seed} {number}".encode(), digest_size=8).digest()
        entry = (-int.from_bytes(digest, "big"), number, segment)
        if len(kept) < size:
            heappush(kept, entry)
        else:
            heappushpop(kept, entry)
    return (segment for _, _, segment in sorted(kept, key=lambda entry: entry[1]))
