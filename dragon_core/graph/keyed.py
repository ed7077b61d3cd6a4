"""From edges between keys, as sources write them, to the tables of a graph."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import polars as pl

from dragon_core.artifacts import Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.graph.build import GraphTables
from dragon_core.graph.errors import GraphError
from dragon_core.graph.relations import RelationTable
from dragon_core.graph.schema import EDGES, NODES

# What readers give: keys of nodes, a source's name for the relation, and where it was read.
EDGE_COLUMNS = ("head", "relation", "tail", "weight", "line")
CHARACTERS_OF_EXAMPLE = 60


def edges_of_files(
    files: Sequence[Path], edges_of: Callable[[Path], Iterable[pl.DataFrame]], writer: Writer, progress: Progress
) -> pl.DataFrame:
    """The edges of all files.

    Args:
        files: What to read, in order.
        edges_of: Gives a file's edges: head, relation and tail (strings), weight (float32), line (uint32).
        writer: Has the rejects.
        progress: Told of the files read.

    Returns:
        These columns, and `file`, the position in `files`.

    Raises:
        GraphError: There is no edge at all.
    """
    frames = []
    for number, path in enumerate(files):
        frames += [edges.with_columns(file=pl.lit(number, pl.UInt16)) for edges in edges_of(path) if len(edges)]
        progress(number + 1, len(files))
    if not frames:
        names = ", ".join(path.name for path in files)
        reason = ""
        if writer.rejects:
            source, line, why = writer.rejects[0]
            reason = f": {len(writer.rejects)} lines were rejected, first line {line} of {source}, since {why}"
        raise GraphError(f"No edge could be read from {names}{reason}; give other files, or have more of them read.")
    return pl.concat(frames)


def complete_nodes(nodes: pl.DataFrame) -> pl.DataFrame:
    """Fill in the columns of nodes (`schema.NODES`) that a source does not know; a node without name has its key's."""
    name = pl.col("key").str.replace_all("_", " ")
    if "name" in nodes.columns:
        given = pl.col("name").str.strip_chars()
        name = pl.when(given != "").then(given).otherwise(name)
    defaults = {
        "aliases": pl.lit([], dtype=pl.List(pl.String)),
        "description": pl.lit(""),
        "types": pl.lit([], dtype=pl.List(pl.String)),
    }
    missing = {column: value for column, value in defaults.items() if column not in nodes.columns}
    return nodes.with_columns(name=name, **missing).select(NODES.names)


def tables_of_keys(
    nodes: pl.DataFrame | None, edges: pl.DataFrame, table: RelationTable, files: Sequence[Path], writer: Writer
) -> GraphTables:
    """Number the nodes by their keys, and tell the edges by these numbers.

    Edges of a relation that is left out are counted as `edges_of_relations_left_out`; those of an unknown relation,
    or from or to a key that no node has, are rejected.

    Args:
        nodes: Columns of `schema.NODES`, each key once, in any order; None: what the edges name, by their keys.
        edges: As `edges_of_files` gives them.
        table: What the source's relations are.
        files: What the edges' column `file` counts.
        writer: Takes the rejects and counts.
    """
    meanings = table.frame().with_columns(is_known=True)
    edges = edges.join(meanings, left_on="relation", right_on="source", how="left", maintain_order="left")
    edges = _reject_missing(edges, "is_known", "its relation {} is unknown", "relation", files, writer)
    writer.count(edges_of_relations_left_out=edges["relation_right"].null_count())
    edges = edges.filter(pl.col("relation_right").is_not_null())
    nodes = (_nodes_of_edges(edges) if nodes is None else nodes).sort("key")
    ids = nodes.select("key", id=pl.int_range(pl.len(), dtype=pl.Int32))
    for end in ("head", "tail"):
        edges = edges.join(ids.rename({"key": end, "id": f"{end}_id"}), on=end, how="left", maintain_order="left")
        edges = _reject_missing(edges, f"{end}_id", f"its {end} {{}} is no node", end, files, writer)
    is_reversed = pl.col("is_reversed")
    columns = edges.select(
        head=pl.when(is_reversed).then("tail_id").otherwise("head_id"),
        relation="relation_right",
        tail=pl.when(is_reversed).then("head_id").otherwise("tail_id"),
        weight="weight",
    )
    return GraphTables(nodes.to_arrow().cast(NODES), table.relations, columns.to_arrow().cast(EDGES))


def with_weights(edges: pl.DataFrame, path: Path, writer: Writer, least: float | None) -> pl.DataFrame:
    """Read the weights, and drop edges that weigh less than `least`.

    Args:
        edges: Their column `weight` is text as the source has it; null and empty stand for 1.
        path: The file they are from.
        writer: Takes the rejects, which are the edges whose weight is no number, and the counts.
        least: Least weight of an edge that is kept; None keeps all.
    """
    text = pl.col("weight").str.strip_chars()
    number = pl.when(text.is_null() | (text == "")).then(1.0).otherwise(text.cast(pl.Float32, strict=False))
    edges = edges.with_columns(weight=number.cast(pl.Float32), text=text)
    is_good = pl.col("weight").is_finite().fill_null(False)
    for line, value in edges.filter(~is_good).select("line", "text").iter_rows():
        writer.reject(path.name, line, f"its weight {_example(value)} is no number")
    edges = edges.filter(is_good).drop("text")
    if least is None:
        return edges
    kept = edges.filter(pl.col("weight") >= least)
    writer.count(edges_too_light=len(edges) - len(kept))
    return kept


def without_empty(frame: pl.DataFrame, columns: Sequence[str], path: Path, writer: Writer) -> pl.DataFrame:
    """Reject the rows in which one of some columns is null or the empty text."""
    is_whole = pl.all_horizontal(pl.col(name).cast(pl.String).fill_null("") != "" for name in columns)
    for line in frame.filter(~is_whole)["line"].to_list():
        writer.reject(path.name, line, f"it lacks one of {', '.join(columns)}")
    return frame.filter(is_whole)


def key_of_words(column: str) -> pl.Expr:
    """A phrase as a key: without spaces around it, and with underscores for those inside."""
    return pl.col(column).str.strip_chars().str.replace_all(r"\s+", "_")


def _nodes_of_edges(edges: pl.DataFrame) -> pl.DataFrame:
    keys = pl.concat([edges["head"], edges["tail"]]).unique()
    return complete_nodes(pl.DataFrame({"key": keys}))


def _reject_missing(
    edges: pl.DataFrame, missing: str, reason: str, column: str, files: Sequence[Path], writer: Writer
) -> pl.DataFrame:
    """Reject the edges that have no `missing`, each with a reason in which `column` stands."""
    for file, line, value in edges.filter(pl.col(missing).is_null()).select("file", "line", column).iter_rows():
        writer.reject(files[file].name, line, reason.format(_example(value)))
    return edges.filter(pl.col(missing).is_not_null())


def _example(text: str) -> str:
    return repr(text[:CHARACTERS_OF_EXAMPLE])
