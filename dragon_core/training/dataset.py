"""Examples by global index, straight from memory-mapped files.

Parquet cannot be mapped, since it is compressed; so each shard is first unpacked, batch by batch, into an Arrow file
beside the trainer's state, with its texts as tokens. From then on memory does not grow with the corpus, and any example
is some slices away.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from dragon_core.training.batching import Sizes
from dragon_core.training.errors import TrainingError
from dragon_core.training.masking import NO_WORD, word_numbers
from dragon_core.training.subgraphs import EDGE_COLUMNS, NODE_COLUMNS, Subgraphs

Int64s = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

COLUMNS = ("segment_id", "text", *NODE_COLUMNS, *EDGE_COLUMNS)
TOKEN_FIELDS = (pa.field("token", pa.list_(pa.int32())), pa.field("word", pa.list_(pa.int16())))
LISTS = ("token", "word", *NODE_COLUMNS, *EDGE_COLUMNS)
ROWS_PER_BATCH = 4096


@dataclass(frozen=True)
class Segments:
    """Some examples.

    Attributes:
        segment_ids: [B].
        tokens: B arrays [length], special tokens included.
        words: B arrays [length], the word of each token; `NO_WORD` for special tokens.
        subgraphs: Their subgraphs.
    """

    segment_ids: Int64s
    tokens: list[Array]
    words: list[Array]
    subgraphs: Subgraphs

    def without_text(self) -> "Segments":
        """The same with texts of special tokens alone."""
        special = [words == NO_WORD for words in self.words]
        tokens, words = (
            [array[kept] for array, kept in zip(arrays, special, strict=True)] for arrays in (self.tokens, self.words)
        )
        return Segments(self.segment_ids, tokens, words, self.subgraphs)

    def without_graph(self) -> "Segments":
        """The same with subgraphs of no node."""
        return Segments(self.segment_ids, self.tokens, self.words, Subgraphs.empty(len(self.tokens)))


class SegmentDataset:
    """The segments of subgraph shards; an example is named by its position in the shards laid end to end."""

    def __init__(self, chunks: Sequence[pa.RecordBatch]) -> None:
        self._chunks = [_Chunk(chunk) for chunk in chunks if chunk.num_rows]
        self._starts = np.cumsum([0, *(len(chunk.segment_ids) for chunk in self._chunks)])

    @classmethod
    def open(cls, parts: Sequence[Path], unpacked: Path, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Self:
        """Open shards, and unpack those that are not yet.

        Args:
            parts: Parquet files with the columns of the subgraphs artifact.
            unpacked: Folder of the Arrow files; one that is there already is used.
            tokenizer: Cuts the texts into tokens.
            max_length: Longest text in tokens, special ones included; the rest of a text is cut off.

        Raises:
            TrainingError: There are fewer than two examples, one to train on and one to evaluate on.
        """
        unpacked.mkdir(parents=True, exist_ok=True)
        chunks: list[pa.RecordBatch] = []
        for part in parts:
            target = unpacked / f"{part.stem}.arrow"
            if not target.exists():
                _unpack(part, target, tokenizer, max_length)
            file = pa.ipc.open_file(pa.memory_map(str(target)))
            chunks.extend(file.get_batch(i) for i in range(file.num_record_batches))
        dataset = cls(chunks)
        if len(dataset) < 2:
            raise TrainingError(
                f"The {len(parts)} subgraph shards hold {len(dataset)} segments; one to train on and one to evaluate on"
                " are needed: check the corpus they come from."
            )
        return dataset

    def __len__(self) -> int:
        return int(self._starts[-1])

    def sizes(self, examples: Int64s) -> Sizes:
        """Tokens and KG edges of examples [n]."""
        places = self._places(examples)
        tokens, edges = (
            np.array([self._chunks[chunk].length(name, row) for chunk, row in places], dtype=np.int64)
            for name in ("token", "head")
        )
        return Sizes(tokens, edges)

    def read(self, examples: Int64s) -> Segments:
        """Read examples [B] by their global indices, in the order given."""
        places = self._places(examples)
        arrays = {name: [self._chunks[chunk].slice(name, row) for chunk, row in places] for name in LISTS}
        return Segments(
            segment_ids=np.array([self._chunks[chunk].segment_ids[row] for chunk, row in places], dtype=np.int64),
            tokens=arrays["token"],
            words=arrays["word"],
            subgraphs=Subgraphs.concatenated(arrays),
        )

    def texts(self, examples: Int64s) -> list[str]:
        """The whole texts of examples."""
        return [self._chunks[chunk].texts[row].as_py() for chunk, row in self._places(examples)]

    def _places(self, examples: Int64s) -> list[tuple[int, int]]:
        numbers = np.searchsorted(self._starts, examples, side="right") - 1
        return list(zip(numbers.tolist(), (examples - self._starts[numbers]).tolist(), strict=True))


class _Chunk:
    """Views of one record batch's buffers."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.segment_ids: Int64s = batch.column("segment_id").to_numpy()
        self.texts = batch.column("text")
        self._offsets = {name: batch.column(name).offsets.to_numpy() for name in LISTS}
        self._values = {name: batch.column(name).values.to_numpy() for name in LISTS}

    def length(self, name: str, row: int) -> int:
        offsets = self._offsets[name]
        return int(offsets[row + 1] - offsets[row])

    def slice(self, name: str, row: int) -> Array:
        offsets = self._offsets[name]
        return self._values[name][offsets[row] : offsets[row + 1]]


def _unpack(part: Path, target: Path, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
    temporary = target.with_suffix(".unpacking")
    with pq.ParquetFile(part) as file:
        schema = pa.schema([*(file.schema_arrow.field(name) for name in COLUMNS), *TOKEN_FIELDS])
        with pa.ipc.new_file(str(temporary), schema) as writer:
            for batch in file.iter_batches(ROWS_PER_BATCH, columns=list(COLUMNS)):
                tokens = _tokens(batch["text"].to_pylist(), tokenizer, max_length)
                writer.write_batch(pa.record_batch([*(batch[name] for name in COLUMNS), *tokens], schema=schema))
    with temporary.open("rb+") as written:
        os.fsync(written.fileno())
    temporary.replace(target)


def _tokens(texts: list[str], tokenizer: PreTrainedTokenizerBase, max_length: int) -> list[pa.Array]:
    encodings = tokenizer(texts, truncation=True, max_length=max_length).encodings if texts else []
    assert encodings is not None
    values = ([encoding.ids for encoding in encodings], [word_numbers(encoding) for encoding in encodings])
    return [pa.array(rows, field.type) for rows, field in zip(values, TOKEN_FIELDS, strict=True)]
