"""Examples by global index, straight from memory-mapped files.

Parquet cannot be mapped, since it is compressed; so each shard is first unpacked, batch by batch, into an Arrow file
beside the trainer's state. From then on memory does not grow with the corpus, and any example is some slices away.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dragon_core.training.errors import TrainingError
from dragon_core.training.graph_batch import EDGE_COLUMNS, NODE_COLUMNS, Subgraphs

Int64s = npt.NDArray[np.int64]

COLUMNS = ("segment_id", "text", *NODE_COLUMNS, *EDGE_COLUMNS)
ROWS_PER_BATCH = 4096


@dataclass(frozen=True)
class Segments:
    """Some examples.

    Attributes:
        segment_ids: [B].
        texts: B texts.
        subgraphs: Their subgraphs.
    """

    segment_ids: Int64s
    texts: list[str]
    subgraphs: Subgraphs


class SegmentDataset:
    """The segments of subgraph shards; an example is named by its position in the shards laid end to end.

    Attributes:
        text_bytes: [examples] length of each text in bytes of UTF-8.
        node_counts: [examples] nodes of each subgraph.
        edge_counts: [examples] KG edges of each subgraph.
    """

    def __init__(self, chunks: Sequence[pa.RecordBatch]) -> None:
        self._chunks = [_Chunk(chunk) for chunk in chunks if chunk.num_rows]
        self._starts = np.cumsum([0, *(len(chunk.segment_ids) for chunk in self._chunks)])
        self.text_bytes = _joined([pc.binary_length(chunk.texts).to_numpy() for chunk in self._chunks])
        self.node_counts = _joined([np.diff(chunk.offsets["node_id"]) for chunk in self._chunks])
        self.edge_counts = _joined([np.diff(chunk.offsets["head"]) for chunk in self._chunks])

    @classmethod
    def open(cls, parts: Sequence[Path], unpacked: Path) -> Self:
        """Open shards, and unpack those that are not yet.

        Args:
            parts: Parquet files with the columns of the subgraphs artifact.
            unpacked: Folder of the Arrow files; one that is there already is used.

        Raises:
            TrainingError: There is no example.
        """
        unpacked.mkdir(parents=True, exist_ok=True)
        chunks: list[pa.RecordBatch] = []
        for part in parts:
            target = unpacked / f"{part.stem}.arrow"
            if not target.exists():
                _unpack(part, target)
            file = pa.ipc.open_file(pa.memory_map(str(target)))
            chunks.extend(file.get_batch(i) for i in range(file.num_record_batches))
        dataset = cls(chunks)
        if not len(dataset):
            raise TrainingError(f"The {len(parts)} subgraph shards hold no segment; check the corpus they come from.")
        return dataset

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, examples: npt.NDArray[np.integer[Any]]) -> Segments:
        """Read examples [B] by their global indices, in the order given."""
        numbers = np.searchsorted(self._starts, examples, side="right") - 1
        places = list(zip(numbers.tolist(), (examples - self._starts[numbers]).tolist(), strict=True))
        arrays = {
            name: [self._chunks[chunk].slice(name, row) for chunk, row in places]
            for name in NODE_COLUMNS + EDGE_COLUMNS
        }
        return Segments(
            segment_ids=np.array([self._chunks[chunk].segment_ids[row] for chunk, row in places], dtype=np.int64),
            texts=[self._chunks[chunk].texts[row].as_py() for chunk, row in places],
            subgraphs=Subgraphs.concatenated(arrays),
        )


class _Chunk:
    """Views of one record batch's buffers."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.segment_ids: Int64s = batch.column("segment_id").to_numpy()
        self.texts = batch.column("text")
        self.offsets = {name: batch.column(name).offsets.to_numpy() for name in NODE_COLUMNS + EDGE_COLUMNS}
        self._values = {name: batch.column(name).values.to_numpy() for name in NODE_COLUMNS + EDGE_COLUMNS}

    def slice(self, name: str, row: int) -> npt.NDArray[Any]:
        offsets = self.offsets[name]
        return self._values[name][offsets[row] : offsets[row + 1]]


def _unpack(part: Path, target: Path) -> None:
    temporary = target.with_suffix(".unpacking")
    with pq.ParquetFile(part) as file:
        schema = pa.schema([file.schema_arrow.field(name) for name in COLUMNS])
        with pa.ipc.new_file(str(temporary), schema) as writer:
            for batch in file.iter_batches(ROWS_PER_BATCH, columns=list(COLUMNS)):
                writer.write_batch(batch.select(list(COLUMNS)))
    with temporary.open("rb+") as written:
        os.fsync(written.fileno())
    temporary.replace(target)


def _joined(arrays: list[npt.NDArray[Any]]) -> Int64s:
    return np.concatenate([*arrays, np.empty(0, np.int64)]).astype(np.int64)
