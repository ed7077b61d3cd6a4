"""From tables of nodes and edges, in any order, to the files of a graph artifact."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dragon_core.artifacts.draft import Writer
from dragon_core.graph.errors import GraphError
from dragon_core.graph.knowledge_graph import Adjacency
from dragon_core.graph.relations import MAX_RELATIONS, Relation
from dragon_core.graph.schema import EDGES, EDGES_NAME, NODES_NAME, RELATIONS, RELATIONS_NAME

MAX_NODES = np.iinfo(np.int32).max


@dataclass(frozen=True)
class GraphTables:
    """What a reader of a knowledge source gives.

    Attributes:
        nodes: Table with `schema.NODES`; a node's id is its row.
        relations: The types of edges; a relation's id is its position.
        edges: Table with `schema.EDGES`, in any order; self loops and repeated edges may occur.
    """

    nodes: pa.Table
    relations: list[Relation]
    edges: pa.Table


def write_graph(writer: Writer, tables: GraphTables) -> Adjacency:
    """Clean the edges and write the graph's tables and adjacency arrays.

    Args:
        writer: The draft of the artifact; its counts are added to.
        tables: The graph.

    Returns:
        The edges as they were written.

    Raises:
        GraphError: There is no edge, an edge names a node or relation that does not exist, or there are too many of
            either.
    """
    edges = clean_edges(tables)
    if not edges.num_rows:
        raise GraphError(
            f"The graph has {tables.nodes.num_rows} nodes and no edge; check the source, and which of it is read."
        )
    relations = [{"name": r.name, "template": r.template, "symmetric": r.symmetric} for r in tables.relations]
    writer.write_table(NODES_NAME, tables.nodes)
    writer.write_table(RELATIONS_NAME, pa.Table.from_pylist(relations, schema=RELATIONS))
    writer.write_table(EDGES_NAME, edges)
    adjacency = adjacency_of(tables.nodes.num_rows, edges)
    for field, name in Adjacency.file_names().items():
        with writer.writing(name) as path, path.open("wb") as file:
            np.save(file, getattr(adjacency, field))
    writer.count(
        nodes=tables.nodes.num_rows,
        relations=len(tables.relations),
        edges=edges.num_rows,
        repeated_edges_and_loops=tables.edges.num_rows - edges.num_rows,
        isolated_nodes=int((np.diff(adjacency.offsets) == 0).sum()),
    )
    return adjacency


def clean_edges(tables: GraphTables) -> pa.Table:
    """Edges sorted by (head, relation, tail) and unique, without self loops.

    An edge of a symmetric relation gets its smaller node as the head. Of equal edges the largest weight is kept.

    Raises:
        GraphError: An edge names a node or relation that does not exist, or there are too many of either.
    """
    head, relation, tail = (np.asarray(tables.edges[name]) for name in ("head", "relation", "tail"))
    _check_ids("node", np.concatenate([head, tail]), tables.nodes.num_rows, MAX_NODES)
    _check_ids("relation", relation, len(tables.relations), MAX_RELATIONS)
    symmetric = np.array([r.symmetric for r in tables.relations], dtype=bool)
    swap = symmetric[relation] & (head > tail)
    head, tail = np.where(swap, tail, head), np.where(swap, head, tail)
    edges = pl.DataFrame(
        {"head": head, "relation": relation, "tail": tail, "weight": pl.from_arrow(tables.edges["weight"])}
    )
    edge = pl.struct("head", "relation", "tail")
    edges = edges.filter(pl.col("head") != pl.col("tail"))
    edges = edges.sort("head", "relation", "tail", "weight", descending=[False, False, False, True])
    return edges.filter((edge != edge.shift()).fill_null(True)).to_arrow().cast(EDGES)


def adjacency_of(num_nodes: int, edges: pa.Table) -> Adjacency:
    """Compressed sparse rows of cleaned edges."""
    head, relation, tail = (np.asarray(edges[name]) for name in ("head", "relation", "tail"))
    node = np.concatenate([head, tail])
    rows = pl.DataFrame(
        {
            "node": node,
            "neighbour": np.concatenate([tail, head]),
            "relation": np.concatenate([relation, -1 - relation]),
        }
    ).sort("node", "neighbour", "relation")
    offsets = np.zeros(num_nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(node, minlength=num_nodes), out=offsets[1:])
    return Adjacency(offsets, rows["neighbour"].to_numpy(), rows["relation"].to_numpy())


def _check_ids(kind: str, ids: npt.NDArray[Any], number: int, limit: int) -> None:
    if number > limit:
        raise GraphError(f"The graph has {number} {kind}s, more than the {limit} it can hold; leave some out.")
    if len(ids) and (ids.min() < 0 or ids.max() >= number):
        wrong = int(ids.min()) if ids.min() < 0 else int(ids.max())
        raise GraphError(f"An edge names {kind} {wrong}, but there are only {number}; the graph's reader is at fault.")
