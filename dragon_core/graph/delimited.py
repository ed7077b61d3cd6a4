"""Delimited text files, of any size and possibly compressed, as a stream of data frames."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv

from dragon_core.artifacts.draft import Writer
from dragon_core.artifacts.identity import is_hidden
from dragon_core.graph.errors import GraphError
from dragon_core.graph.text_stream import REPLACEMENT, open_utf8

BLOCK_BYTES = 16_000_000
# More would be a file of another form, and would fill the memory.
MOST_MALFORMED = 100_000
CHARACTERS_OF_EXAMPLE = 80


def read_delimited(
    path: Path,
    columns: Sequence[str],
    writer: Writer,
    separator: str = "\t",
    wanted: Sequence[str] | None = None,
    is_quoted: bool = False,
    skip: int = 0,
) -> Iterator[pl.DataFrame]:
    """Read a file in frames of some hundred thousand lines; memory does not grow with the file.

    Lines that are blank, or have nothing in the wanted columns, are passed over. All others are counted as `records`.

    Args:
        path: The file; `.gz`, `.bz2` and `.zst` are uncompressed on the way.
        columns: Names of the file's columns, in their order.
        writer: Takes the counts, and as rejects the lines with another number of fields or that are not UTF-8.
        separator: One character.
        wanted: The columns to give; all if None.
        is_quoted: Whether a field in double quotes may hold separators and ends of lines.
        skip: Lines to pass over at the beginning, such as a header.

    Yields:
        The wanted columns as strings, and `line` (uint32): the line's number from 1, or the record's if fields are
        quoted.

    Raises:
        GraphError: The file cannot be uncompressed, or no line, or far from every line, has that many fields.
    """
    malformed = _MalformedLines(path, skip, writer)
    kept = list(wanted or columns)
    rows = 0
    try:
        for batch in _batches(path, columns, kept, separator, is_quoted, skip, malformed):
            frame = pl.DataFrame(pl.from_arrow(batch)).with_columns(line=malformed.lines_of_rows(rows, len(batch)))
            rows += len(batch)
            # So the parser gives blank lines.
            frame = frame.filter(pl.any_horizontal(pl.col(name) != "" for name in kept))
            writer.count(records=len(frame))
            yield _without_bad_text(frame, kept, path, writer)
    except (pa.ArrowInvalid, OSError) as error:
        if malformed.gave_up:
            raise GraphError(_another_form(path, columns, separator, malformed.example)) from error
        if "Empty CSV file" not in str(error):
            raise GraphError(f"{path} cannot be read: {error}. Check that it is whole, and what it is.") from error
    if not rows and malformed.example:
        raise GraphError(_another_form(path, columns, separator, malformed.example))


def read_header(path: Path, separator: str, is_quoted: bool = False, skip: int = 0) -> list[str]:
    """Names of the columns of a file that begins with them.

    Args:
        path: The file.
        separator: One character.
        is_quoted: Whether a field in double quotes may hold separators.
        skip: Lines to pass over before it.

    Raises:
        GraphError: The file is empty, or cannot be uncompressed.
    """
    try:
        with io.TextIOWrapper(open_utf8(path), encoding="utf-8-sig", newline="") as lines:
            for _ in range(skip):
                lines.readline()
            header = next(_rows(lines, separator, is_quoted), None)
    except (OSError, csv.Error) as error:
        raise GraphError(f"{path} cannot be read: {error}. Check that it is whole, and the right file.") from error
    if header is None:
        raise GraphError(f"{path} is empty; give a file with lines.")
    return [name.strip().removeprefix("#").strip() for name in header]


def matching_files(root: Path, pattern: str) -> list[Path]:
    """The files of a folder that a glob pattern matches, sorted; a file is itself.

    Raises:
        GraphError: There is none.
    """
    if root.is_file():
        return [root]
    found = sorted(path for path in root.glob(pattern) if path.is_file() and not is_hidden(path, root))
    if not found:
        raise GraphError(f"{root} holds no file that matches {pattern!r}; give another folder or pattern.")
    return found


def _rows(lines: TextIO, separator: str, is_quoted: bool) -> Iterator[list[str]]:
    if is_quoted:
        return csv.reader(lines, delimiter=separator)
    return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)


class _MalformedLines:
    """The lines with another number of fields, which the parser tells of and drops."""

    def __init__(self, path: Path, skip: int, writer: Writer) -> None:
        self.numbers: list[int] = []
        self.gave_up = False
        self.example = ""
        self._path = path
        self._skip = skip
        self._writer = writer

    def __call__(self, row: Any) -> str:
        self.numbers.append(row.number)
        if row.text.strip():
            reason = f"it has {row.actual_columns} fields instead of {row.expected_columns}"
            self._writer.reject(self._path.name, row.number, reason)
            self._writer.count(records=1)
            self.example = self.example or row.text[:CHARACTERS_OF_EXAMPLE]
        self.gave_up = len(self.numbers) > MOST_MALFORMED
        return "error" if self.gave_up else "skip"

    def lines_of_rows(self, first: int, count: int) -> pl.Series:
        """Numbers of the lines of the well-formed rows from `first` (0 is the file's first)."""
        rows = np.arange(first, first + count)
        rows_before = np.array(self.numbers, dtype=np.int64) - 1 - self._skip - np.arange(len(self.numbers))
        lines = rows + 1 + np.searchsorted(rows_before, rows, side="right") + self._skip
        return pl.Series(lines, dtype=pl.UInt32)


def _batches(
    path: Path,
    columns: Sequence[str],
    kept: Sequence[str],
    separator: str,
    is_quoted: bool,
    skip: int,
    malformed: _MalformedLines,
) -> Iterator[pa.RecordBatch]:
    # Numbers of lines are known to one thread only.
    reading = pyarrow.csv.ReadOptions(
        use_threads=False, block_size=BLOCK_BYTES, column_names=list(columns), skip_rows=skip
    )
    parsing = pyarrow.csv.ParseOptions(
        delimiter=separator,
        quote_char='"' if is_quoted else False,
        newlines_in_values=is_quoted,
        ignore_empty_lines=False,
        invalid_row_handler=malformed,
    )
    converting = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()), include_columns=list(kept), strings_can_be_null=False
    )
    with open_utf8(path) as stream:
        yield from pyarrow.csv.open_csv(stream, reading, parsing, converting)


def _without_bad_text(frame: pl.DataFrame, columns: Sequence[str], path: Path, writer: Writer) -> pl.DataFrame:
    is_bad = pl.any_horizontal(pl.col(name).str.contains(REPLACEMENT, literal=True) for name in columns)
    for line in frame.filter(is_bad)["line"].to_list():
        writer.reject(path.name, line, "it is not UTF-8")
    return frame.filter(~is_bad)


def _another_form(path: Path, columns: Sequence[str], separator: str, example: str) -> str:
    return (
        f"{path} does not consist of lines with {len(columns)} fields ({', '.join(columns)}) divided by"
        f" {separator!r}; the first that has not is {example!r}. Check that it is the right file, and its separator and"
        " columns."
    )
