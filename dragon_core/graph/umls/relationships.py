"""The relations between the concepts of the Metathesaurus.

A row of MRREL is read from right to left: its relation is that of the second concept to the first, so that the second
is the edge's head. It stands in the file a second time, the other way round and with the inverse label.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from dragon_core.artifacts.draft import Writer
from dragon_core.graph.keyed import without_empty
from dragon_core.graph.relations import Relation, RelationTable, in_words
from dragon_core.graph.schema import EDGES
from dragon_core.graph.umls.files import read_rrf
from dragon_core.graph.umls.params import UmlsParams

SIBLING = "SIB"


@dataclass(frozen=True)
class Relationships:
    """What MRREL tells.

    Attributes:
        rows: head and tail (int32 nodes), label (uint16, a position in `labels`).
        labels: RELA where a row has one, else REL.
    """

    rows: pl.DataFrame
    labels: list[str]


def read_relationships(
    path: Path, nodes: pl.Series, all_keys: pl.Series, params: UmlsParams, writer: Writer
) -> Relationships:
    """Read the relations of the wanted sources between nodes.

    Rows that name a concept that has no name at all are rejected; those that name one that was left out are counted.

    Args:
        path: MRREL.
        nodes: Keys of the nodes, in the order of their ids.
        all_keys: Keys of all concepts there are.
        params: What is read.
        writer: Takes rejects and counts.
    """
    ids = pl.DataFrame({"key": nodes}).with_row_index("id").cast({"id": pl.Int32})
    ids = pl.DataFrame({"key": all_keys}).join(ids, on="key", how="left").with_columns(is_known=True)
    codes: dict[str, int] = {}
    rows = [pl.DataFrame(schema={"head": pl.Int32, "label": pl.UInt16, "tail": pl.Int32})]
    for frame in read_rrf(path, ("CUI1", "REL", "CUI2", "RELA", "SAB", "SUPPRESS"), writer):
        wanted = frame.filter(params.is_wanted())
        writer.count(relationships_left_out=len(frame) - len(wanted))
        wanted = without_empty(wanted, ("CUI1", "REL", "CUI2"), path, writer)
        label = pl.when(pl.col("RELA") != "").then("RELA").otherwise("REL")
        edges = wanted.select(head="CUI2", label=label, tail="CUI1", line="line")
        for name in edges["label"].unique(maintain_order=True):
            codes.setdefault(name, len(codes))
        numbered = edges.with_columns(pl.col("label").replace_strict(codes, return_dtype=pl.UInt16))
        rows.append(_numbered(numbered, ids, path, writer))
    return Relationships(pl.concat(rows), list(codes))


def read_inverses(path: Path | None, writer: Writer) -> dict[str, str]:
    """The inverse of each RELA label, by MRDOC; none if the file is not there."""
    inverses: dict[str, str] = {}
    for frame in read_rrf(path, ("DOCKEY", "VALUE", "TYPE", "EXPL"), writer) if path else ():
        is_inverse = (pl.col("DOCKEY") == "RELA") & (pl.col("TYPE") == "rela_inverse")
        is_whole = (pl.col("VALUE") != "") & (pl.col("EXPL") != "")
        inverses.update(frame.filter(is_inverse & is_whole).select("VALUE", "EXPL").iter_rows())
    return inverses


def edges_of(
    relationships: Relationships, inverses: dict[str, str], params: UmlsParams, writer: Writer
) -> tuple[pa.Table, list[Relation]]:
    """The edges of the wanted relations, one for a row and its inverse.

    Returns:
        Edges (`schema.EDGES`), and the relations that their rows are of.
    """
    codes = {relationships.labels[code]: code for code in relationships.rows["label"].unique().sort()}
    packaged = RelationTable.packaged(__package__, merge="labels.csv")
    table = RelationTable.with_inverses(codes, inverses, packaged)
    table = table.keeping(_wanted_labels(codes, table, params.relations))
    meanings = table.frame().select(
        label=pl.col("source").replace_strict(codes, return_dtype=pl.UInt16),
        relation="relation",
        is_reversed="is_reversed",
    )
    rows = relationships.rows.join(meanings.drop_nulls(), on="label", maintain_order="left")
    writer.count(edges_of_relations_left_out=len(relationships.rows) - len(rows))
    is_reversed = pl.col("is_reversed")
    edges = rows.select(
        head=pl.when(is_reversed).then("tail").otherwise("head"),
        relation="relation",
        tail=pl.when(is_reversed).then("head").otherwise("tail"),
        weight=pl.lit(1.0, pl.Float32),
    )
    return edges.to_arrow().cast(EDGES), table.relations


def _numbered(edges: pl.DataFrame, ids: pl.DataFrame, path: Path, writer: Writer) -> pl.DataFrame:
    for end in ("head", "tail"):
        numbers = ids.rename({"key": end, "id": f"{end}_id", "is_known": f"{end}_is_known"})
        edges = edges.join(numbers, on=end, how="left", maintain_order="left")
    is_known = pl.col("head_is_known") & pl.col("tail_is_known")
    for line in edges.filter(is_known.is_null())["line"].to_list():
        writer.reject(path.name, line, "one of its concepts has no name in MRCONSO")
    edges = edges.filter(is_known)
    kept = edges.filter(pl.col("head_id").is_not_null() & pl.col("tail_id").is_not_null())
    between = kept.filter(pl.col("head_id") != pl.col("tail_id"))
    writer.count(
        relationships_of_concepts_left_out=len(edges) - len(kept),
        relationships_within_concepts=len(kept) - len(between),
    )
    return between.select(head="head_id", label="label", tail="tail_id")


def _wanted_labels(labels: Iterable[str], table: RelationTable, wanted: tuple[str, ...]) -> set[str]:
    if not wanted:
        return {*labels} - {SIBLING}
    words = {in_words(name) for name in wanted}
    kept = set()
    for label in labels:
        meaning = table.meanings[label]
        if meaning is not None and {in_words(label), table.relations[meaning.relation].name} & words:
            kept.add(label)
    return kept
