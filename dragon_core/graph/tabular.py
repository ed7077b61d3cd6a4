"""Some columns of tables, delimited text or Parquet, as a stream of data frames."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts.draft import Writer
from dragon_core.graph.delimited import read_delimited, read_header
from dragon_core.graph.errors import GraphError
from dragon_core.graph.text_stream import COMPRESSED

# A name of the header, or a position from 0 in a file without one.
Column = str | int
PARQUET = ".parquet"
CHARACTERS_OF_HEADER = 500


def read_columns(
    path: Path, wanted: Mapping[str, Column], writer: Writer, separator: str | None = None, skip: int = 0
) -> Iterator[pl.DataFrame]:
    """Read the wanted columns of a table.

    Args:
        path: A file of delimited text, possibly compressed, or of Parquet.
        wanted: The columns, all by name or all by position, by the names to give them.
        writer: Takes the count `records`, and the lines that cannot be read as rejects.
        separator: Of delimited text; None: a comma in `.csv` files and a tab in all others. Fields may be quoted unless
            it is a tab.
        skip: Lines of delimited text before the header.

    Yields:
        The columns as strings, and `line` (uint32): the number of the line, the quoted record or the row from 1.

    Raises:
        GraphError: The file has not these columns, or cannot be read.
    """
    if path.suffix == PARQUET:
        yield from _parquet_frames(path, wanted, writer)
        return
    ending = next((suffix for suffix in reversed(path.suffixes) if suffix not in COMPRESSED), "")
    separator = separator or ("," if ending == ".csv" else "\t")
    is_quoted = separator != "\t"
    by_position = any(isinstance(column, int) for column in wanted.values())
    header = read_header(path, separator, is_quoted, skip)
    columns = [str(number) for number in range(len(header))]
    found = _found(path, {name: str(column) for name, column in wanted.items()}, columns if by_position else header)
    if not by_position:
        # By their positions, so that any name may be the header's.
        found = {name: columns[header.index(column)] for name, column in found.items()}
    skip += 0 if by_position else 1
    for frame in read_delimited(path, columns, writer, separator, [*dict.fromkeys(found.values())], is_quoted, skip):
        yield frame.select(**{name: pl.col(column) for name, column in found.items()}, line="line")


def _parquet_frames(path: Path, wanted: Mapping[str, Column], writer: Writer) -> Iterator[pl.DataFrame]:
    row = 0
    try:
        with pq.ParquetFile(path) as file:
            columns = file.schema_arrow.names
            named = {
                name: columns[c] if isinstance(c, int) and c < len(columns) else str(c) for name, c in wanted.items()
            }
            found = _found(path, named, columns)
            for batch in file.iter_batches(columns=[*dict.fromkeys(found.values())]):
                frame = pl.DataFrame(pl.from_arrow(batch)).select(
                    **{name: pl.col(column).cast(pl.String) for name, column in found.items()}
                )
                writer.count(records=len(frame))
                yield frame.with_columns(line=pl.int_range(row + 1, row + 1 + len(batch), dtype=pl.UInt32))
                row += len(batch)
    except (pa.ArrowInvalid, OSError) as error:
        raise GraphError(f"{path} cannot be read as Parquet: {error}. Check that it is whole.") from error


def _found(path: Path, wanted: dict[str, str], columns: Sequence[str]) -> dict[str, str]:
    missing = sorted({*wanted.values()} - {*columns})
    if missing:
        known = ", ".join(columns)
        known = known if len(known) <= CHARACTERS_OF_HEADER else f"{known[:CHARACTERS_OF_HEADER]}..."
        raise GraphError(
            f"{path} has no column {', '.join(missing)}: it has {known}. Name its columns in the parameters, or give"
            " the separator."
        )
    repeated = sorted(column for column in {*wanted.values()} if columns.count(column) > 1)
    if repeated:
        raise GraphError(f"{path} has several columns {', '.join(repeated)}; give their positions instead of names.")
    return wanted
