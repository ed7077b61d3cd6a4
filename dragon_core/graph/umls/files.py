"""The files of the Metathesaurus, in the Rich Release Format.

Fields end with `|`, the last one too, and nothing is quoted.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from dragon_core.artifacts.draft import Writer
from dragon_core.graph.delimited import read_delimited
from dragon_core.graph.errors import GraphError
from dragon_core.graph.text_stream import COMPRESSED

COLUMNS = {
    "MRCONSO": "CUI LAT TS LUI STT SUI ISPREF AUI SAUI SCUI SDUI SAB TTY CODE STR SRL SUPPRESS CVF",
    "MRREL": "CUI1 AUI1 STYPE1 REL CUI2 AUI2 STYPE2 RELA RUI SRUI SAB SL RG DIR SUPPRESS CVF",
    "MRSTY": "CUI TUI STN STY ATUI CVF",
    "MRDEF": "CUI AUI ATUI SATUI SAB DEF SUPPRESS CVF",
    "MRDOC": "DOCKEY VALUE TYPE EXPL",
}
AFTER_THE_LAST = "(end)"


def find_file(folder: Path, name: str) -> Path | None:
    """A file of the Metathesaurus, such as `MRREL`, in a folder or in its folder `META`; perhaps compressed."""
    places = [place / f"{name}.RRF{suffix}" for place in (folder, folder / "META") for suffix in ("", *COMPRESSED)]
    return next((place for place in places if place.is_file()), None)


def needed_file(folder: Path, name: str) -> Path:
    """The same.

    Raises:
        GraphError: It is not there.
    """
    path = find_file(folder, name)
    if path is None:
        raise GraphError(
            f"{folder} holds no {name}.RRF; give the folder META of an installed release, whose files MetamorphoSys has"
            " put together."
        )
    return path


def read_rrf(path: Path, wanted: Sequence[str], writer: Writer) -> Iterator[pl.DataFrame]:
    """Read the wanted columns, and `line`, as `read_delimited` does."""
    columns = [*COLUMNS[path.name.split(".")[0]].split(), AFTER_THE_LAST]
    return read_delimited(path, columns, writer, separator="|", wanted=wanted)
