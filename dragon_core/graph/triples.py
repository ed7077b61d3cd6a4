"""Reads triples from tables of any columns: delimited text (possibly compressed) or Parquet.

Which column holds what is a parameter. With it the readers of this module read ConceptNet-82K (no header: columns by
their positions), PrimeKG (names beside the keys, which are in `x_index` and `y_index`, since its ids are not unique)
and Hetionet (names in a file of nodes), among others.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, Self

import polars as pl
from pydantic import Field, model_validator

from dragon_core.artifacts import Parameters, Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.graph.build import GraphTables
from dragon_core.graph.delimited import matching_files
from dragon_core.graph.errors import GraphError
from dragon_core.graph.keyed import (
    EDGE_COLUMNS,
    complete_nodes,
    edges_of_files,
    key_of_words,
    tables_of_keys,
    with_weights,
    without_empty,
)
from dragon_core.graph.relations import RelationTable
from dragon_core.graph.source_params import SourceParams
from dragon_core.graph.tabular import Column, read_columns


class TripleColumns(Parameters):
    """Which columns hold a triple: names of the header, or positions from 0 in files without one."""

    head: Column = Field("head", description="Key of the head.")
    relation: Column = Field("relation", description="Name of the relation.")
    tail: Column = Field("tail", description="Key of the tail.")
    weight: Column | None = Field(None, description="A number; all weigh 1 if there is none.")
    head_name: Column | None = Field(None, description="What the head is called; its key, if there is none.")
    tail_name: Column | None = Field(None, description="What the tail is called, likewise.")

    @model_validator(mode="after")
    def _check_kinds(self) -> Self:
        if len({type(column) for _, column in self if column is not None}) > 1:
            raise ValueError("some columns are given by name and some by position; give all of them in one way")
        if (self.head_name is None) != (self.tail_name is None):
            raise ValueError("give head_name and tail_name, or neither")
        return self


class NodeColumns(Parameters):
    """Which columns of the files of nodes hold what: names of the header, or positions from 0."""

    key: Column = Field("id", description="The node's key, as edges have it.")
    name: Column = Field("name", description="What it is called.")
    description: Column | None = Field(None, description="What it is, in words.")
    type: Column | None = Field(None, description="Of what kind it is.")


class TriplesParams(SourceParams):
    """Triples in tables."""

    source: Literal["triples"] = "triples"
    edge_files: str = Field("*", description="Glob of the files of triples, if a folder is given.")
    node_files: str | None = Field(None, description="Glob of the files of nodes; without it the edges name all nodes.")
    columns: TripleColumns = TripleColumns()
    node_columns: NodeColumns = NodeColumns()
    separator: str | None = Field(
        None, min_length=1, max_length=1, description="By default a comma in .csv files and a tab in all others."
    )
    relations: Literal["as written", "conceptnet"] = Field(
        "as written", description="Keep all relations, or merge ConceptNet's to the 17 that are usual."
    )
    min_weight: float | None = Field(None, description="Lighter triples are left out.")

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if self.node_files is not None and self.columns.head_name is not None:
            raise ValueError("nodes are named by node_files; give no head_name and tail_name beside")
        return self


def read_triples(root: Path, params: TriplesParams, writer: Writer, progress: Progress) -> GraphTables:
    """Read all triples.

    Args:
        root: A file, or a folder of files.
        params: Which files and columns.
        writer: Takes rejects and counts.
        progress: Told of the files read.

    Raises:
        GraphError: No file matches, or one has not the columns.
    """
    described = matching_files(root, params.node_files) if params.node_files else []
    files = [path for path in matching_files(root, params.edge_files) if path not in described]
    if not files:
        raise GraphError(f"{root} holds files of nodes alone; let `edge_files` match the files of triples as well.")
    wanted = {name: column for name, column in params.columns if column is not None}
    named: list[pl.DataFrame] = []

    def edges_of(path: Path) -> Iterator[pl.DataFrame]:
        for frame in read_columns(path, wanted, writer, params.separator):
            triples = with_weights(_triples(frame, path, writer), path, writer, params.min_weight)
            if params.columns.head_name is not None:
                named.append(_names(triples))
            yield triples.select(EDGE_COLUMNS)

    edges = edges_of_files(files, edges_of, writer, progress)
    nodes = complete_nodes(_first_of_each(named)) if named else None
    if described:
        nodes = _described(described, params, writer)
    if params.relations == "conceptnet":
        table = RelationTable.packaged("dragon_core.graph.conceptnet")
    else:
        table = RelationTable.as_written(edges["relation"].unique().to_list())
    return tables_of_keys(nodes, edges, table, files, writer)


def _triples(frame: pl.DataFrame, path: Path, writer: Writer) -> pl.DataFrame:
    frame = frame.with_columns(key_of_words("head"), pl.col("relation").str.strip_chars(), key_of_words("tail"))
    if "weight" not in frame.columns:
        frame = frame.with_columns(weight=pl.lit(None, pl.String))
    return without_empty(frame, ("head", "relation", "tail"), path, writer)


def _names(triples: pl.DataFrame) -> pl.DataFrame:
    ends = [triples.select(key=end, name=pl.col(f"{end}_name").fill_null("")) for end in ("head", "tail")]
    return _first_of_each([pl.concat(ends)])


def _first_of_each(nodes: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One row a key: the first that has a name, or the first."""
    ordered = pl.concat(nodes).sort(pl.col("name").str.strip_chars() == "", maintain_order=True)
    return ordered.unique("key", keep="first", maintain_order=True)


def _described(files: Sequence[Path], params: TriplesParams, writer: Writer) -> pl.DataFrame:
    wanted = {name: column for name, column in params.node_columns if column is not None}
    frames = []
    for path in files:
        for frame in read_columns(path, wanted, writer, params.separator):
            filled = frame.with_columns(key_of_words("key"), pl.col(wanted.keys()).exclude("key").fill_null(""))
            frames.append(without_empty(filled, ("key",), path, writer).drop("line"))
    if not frames:
        raise GraphError(f"{', '.join(path.name for path in files)} hold no node; give other files in `node_files`.")
    nodes = _first_of_each(frames)
    writer.count(repeated_nodes=sum(map(len, frames)) - len(nodes))
    if "type" in nodes.columns:
        is_typed = pl.col("type") != ""
        nodes = nodes.with_columns(types=pl.when(is_typed).then(pl.concat_list("type")).otherwise([]))
    return complete_nodes(nodes)
