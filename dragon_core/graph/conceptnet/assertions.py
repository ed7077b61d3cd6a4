"""Reads the assertions of ConceptNet 5 (`conceptnet-assertions-5.7.0.csv.gz`).

A line is five fields divided by tabs: the assertion's URI, its relation's, its start's, its end's, and JSON with a
weight. The URI of a term is `/c/<language>/<concept>`, then perhaps its part of speech and more, so that
`/c/en/dog/n/wn/animal` is the concept `dog`.
"""

from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from dragon_core.artifacts import Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.graph.build import GraphTables
from dragon_core.graph.delimited import matching_files, read_delimited
from dragon_core.graph.keyed import edges_of_files, tables_of_keys, with_weights
from dragon_core.graph.relations import RelationTable
from dragon_core.graph.source_params import SourceParams

PATTERN = "*.csv*"
FIELDS = ("uri", "relation", "head", "tail", "data")
WANTED = FIELDS[1:]
# As in KagNet: letters, joined by underscores and hyphens.
ALPHABETIC = r"^[\p{L}_-]*\p{L}[\p{L}_-]*$"


class ConceptNetParams(SourceParams):
    """The assertions of ConceptNet 5."""

    source: Literal["conceptnet"] = "conceptnet"
    language: str = Field("en", min_length=2, description="Only concepts of this language.")
    min_weight: float | None = Field(None, description="Lighter assertions are left out.")


def read_conceptnet(root: Path, params: ConceptNetParams, writer: Writer, progress: Progress) -> GraphTables:
    """Read the assertions between concepts of one language whose names are alphabetic.

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
            with_weights(_assertions(frame, path, params.language, writer), path, writer, params.min_weight)
            for frame in read_delimited(path, FIELDS, writer, wanted=WANTED)
        ),
        writer,
        progress,
    )
    return tables_of_keys(None, edges, RelationTable.packaged(__package__), files, writer)


def _assertions(frame: pl.DataFrame, path: Path, language: str, writer: Writer) -> pl.DataFrame:
    is_assertion = pl.col("relation").str.starts_with("/r/") & pl.col("head").str.starts_with("/c/")
    for line in frame.filter(~is_assertion)["line"].to_list():
        writer.reject(path.name, line, "it is no assertion: its relation has to begin with /r/, and its start with /c/")
    frame = frame.filter(is_assertion)
    prefix = f"/c/{language}/"
    of_language = frame.filter(pl.col("head").str.starts_with(prefix) & pl.col("tail").str.starts_with(prefix))
    edges = of_language.select(
        head=_concept("head"),
        relation=pl.col("relation").str.slice(3),
        tail=_concept("tail"),
        weight=pl.col("data").str.extract(r'"weight":\s*([^,}\s]+)').fill_null("(missing)"),
        line="line",
    )
    alphabetic = edges.filter(pl.col("head").str.contains(ALPHABETIC) & pl.col("tail").str.contains(ALPHABETIC))
    writer.count(
        assertions_of_other_languages=len(frame) - len(of_language), not_alphabetic=len(edges) - len(alphabetic)
    )
    return alphabetic


def _concept(column: str) -> pl.Expr:
    return pl.col(column).str.split("/").list.get(3).str.to_lowercase()
