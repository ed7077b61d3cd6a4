"""The concepts of the Metathesaurus: their names, semantic types and definitions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dragon_core.artifacts.draft import Writer
from dragon_core.graph.errors import GraphError
from dragon_core.graph.keyed import without_empty
from dragon_core.graph.schema import NODES
from dragon_core.graph.umls.files import read_rrf
from dragon_core.graph.umls.params import UmlsParams


@dataclass(frozen=True)
class Names:
    """What MRCONSO tells.

    Attributes:
        concepts: A row for each concept that has a wanted name, sorted by key: key, name, aliases.
        all_keys: The keys of all concepts, whether they have a wanted name or not.
        sources: The source vocabularies of the wanted names.
    """

    concepts: pl.DataFrame
    all_keys: pl.Series
    sources: list[str]


def read_names(path: Path, params: UmlsParams, writer: Writer) -> Names:
    """Read the names of all concepts.

    The preferred form (STT is PF, ISPREF is Y) of the preferred term (TS is P) names the concept; all its other names,
    but for those that differ in case alone, are its aliases.

    Raises:
        GraphError: The file has another form, or no name is wanted.
    """
    wanted = ("CUI", "LAT", "TS", "STT", "ISPREF", "SAB", "STR", "SUPPRESS")
    names, keys, sources = [], [], set()
    for frame in read_rrf(path, wanted, writer):
        frame = without_empty(frame, ("CUI", "STR"), path, writer)
        keys.append(frame["CUI"].unique())
        of_language = frame.filter((pl.col("LAT") == params.language) & params.is_wanted())
        sources |= {*of_language["SAB"].unique()}
        writer.count(names_left_out=len(frame) - len(of_language))
        names.append(_distinct(of_language.select(key="CUI", rank=_rank(), name="STR")))
    if not sources:
        raise GraphError(
            f"{path} holds no wanted name: language {params.language}, sources {', '.join(params.sources) or 'all'}."
        )
    concepts = _distinct(pl.concat(names)).group_by("key", maintain_order=True)
    named = concepts.agg(name=pl.col("name").first(), aliases=pl.col("name").slice(1))
    return Names(named, pl.concat(keys).unique(), sorted(sources))


def read_types(path: Path, concepts: pl.DataFrame, params: UmlsParams, writer: Writer) -> pl.DataFrame:
    """Add the column `types`, names of semantic types in order; drop concepts that have none of the wanted ones.

    Raises:
        GraphError: The file has another form, or no concept has a wanted type.
    """
    frames = [
        frame.join(concepts, left_on="CUI", right_on="key", how="semi").select("CUI", "TUI", "STY")
        for frame in read_rrf(path, ("CUI", "TUI", "STY"), writer)
    ]
    rows = pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(("CUI", "TUI", "STY"), pl.String))
    types = rows.group_by(key="CUI").agg(types=pl.col("STY").unique().sort())
    if params.semantic_types:
        is_wanted = pl.col("TUI").is_in(params.semantic_types) | pl.col("STY").is_in(params.semantic_types)
        typed = concepts.join(rows.filter(is_wanted), left_on="key", right_on="CUI", how="semi", maintain_order="left")
        writer.count(concepts_of_types_left_out=len(concepts) - len(typed))
        concepts = typed
    if concepts.is_empty():
        raise GraphError(f"{path} gives no concept one of the types {', '.join(params.semantic_types)}.")
    typed = concepts.join(types, on="key", how="left", maintain_order="left")
    return typed.with_columns(pl.col("types").fill_null([]))


def read_definitions(
    path: Path, concepts: pl.DataFrame, sources: Sequence[str], params: UmlsParams, writer: Writer
) -> pl.DataFrame:
    """Add the column `description`: a concept's first definition in the file.

    Args:
        path: MRDEF, which does not tell the language of a definition.
        concepts: The nodes.
        sources: The source vocabularies whose definitions are taken: those that have names of the language.
        params: What is read.
        writer: Takes rejects and counts.

    Returns:
        The nodes, with the columns of `schema.NODES`.
    """
    frames = [
        frame.filter(pl.col("SAB").is_in(sources) & (pl.col("DEF") != "") & params.is_wanted())
        .join(concepts, left_on="CUI", right_on="key", how="semi", maintain_order="left")
        .select(key="CUI", description=pl.col("DEF").str.strip_chars())
        for frame in read_rrf(path, ("CUI", "SAB", "DEF", "SUPPRESS"), writer)
    ]
    empty = pl.DataFrame(schema={"key": pl.String, "description": pl.String})
    first = pl.concat([empty, *frames]).unique("key", keep="first", maintain_order=True)
    described = concepts.join(first, on="key", how="left", maintain_order="left")
    return described.with_columns(pl.col("description").fill_null("")).select(NODES.names)


def _rank() -> pl.Expr:
    is_other_term, is_other_form, is_other_atom = pl.col("TS") != "P", pl.col("STT") != "PF", pl.col("ISPREF") != "Y"
    return (is_other_term.cast(pl.UInt8) * 4 + is_other_form.cast(pl.UInt8) * 2 + is_other_atom.cast(pl.UInt8)).cast(
        pl.UInt8
    )


def _distinct(names: pl.DataFrame) -> pl.DataFrame:
    """Sorted by concept, the preferred names first; of names that differ in case alone the first."""
    ordered = names.sort("key", "rank", "name")
    folded = ordered.with_columns(folded=pl.col("name").str.to_lowercase())
    return folded.unique(["key", "folded"], keep="first", maintain_order=True).drop("folded")
