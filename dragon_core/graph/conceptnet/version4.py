"""Reads the English graph of ConceptNet 4 (`conceptnet_en.graph.gz` of divisi2).

A line is `head <tab> tail <tab> {'freq': 5, 'score': 1, 'rel': u'IsA'}`. Concepts are normalised phrases. A negative
frequency says that the assertion is denied; the score, which people voted, is the weight.
"""

from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from dragon_core.artifacts import Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.graph.build import GraphTables
from dragon_core.graph.delimited import matching_files, read_delimited
from dragon_core.graph.keyed import (
    EDGE_COLUMNS,
    edges_of_files,
    key_of_words,
    tables_of_keys,
    with_weights,
    without_empty,
)
from dragon_core.graph.relations import RelationTable
from dragon_core.graph.source_params import SourceParams

PATTERN = "*.graph*"
FIELDS = ("head", "tail", "data")


class ConceptNet4Params(SourceParams):
    """The graph of ConceptNet 4."""

    source: Literal["conceptnet4"] = "conceptnet4"
    min_weight: float | None = Field(None, description="Assertions of lower score are left out.")


def read_conceptnet4(root: Path, params: ConceptNet4Params, writer: Writer, progress: Progress) -> GraphTables:
    """Read the assertions that are not denied.

    Args:
        root: The file, or a folder with it.
        params: What to read.
        writer: Takes rejects and counts.
        progress: Told of the files read.

    Raises:
        GraphError: There is no such file, or it has another form.
    """
    files = matching_files(root, PATTERN)
    edges = edges_of_files(
        files,
        lambda path: (
            with_weights(_assertions(frame, path, writer), path, writer, params.min_weight)
            for frame in read_delimited(path, FIELDS, writer)
        ),
        writer,
        progress,
    )
    return tables_of_keys(None, edges, RelationTable.packaged(__package__), files, writer)


def _assertions(frame: pl.DataFrame, path: Path, writer: Writer) -> pl.DataFrame:
    edges = frame.select(
        head=key_of_words("head"),
        relation=pl.col("data").str.extract(r"'rel': u?'([^']+)'"),
        tail=key_of_words("tail"),
        weight=pl.col("data").str.extract(r"'score': ([^,}]+)").fill_null("(missing)"),
        frequency=pl.col("data").str.extract(r"'freq': (-?\d+)").cast(pl.Int32),
        line="line",
    )
    edges = without_empty(edges, ("head", "tail", "relation", "frequency"), path, writer)
    stated = edges.filter(pl.col("frequency") > 0)
    writer.count(denied=len(edges) - len(stated))
    return stated.select(EDGE_COLUMNS)
