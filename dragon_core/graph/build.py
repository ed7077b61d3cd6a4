"""From tables of nodes and edges, in any order, to the files of a graph artifact."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dragon_core.artifacts.draft import Writer
from dragon_core.graph.errors import GraphError
from dragon_core.graph.knowledge_graph import Adjacency, Int32s, Int64s, Relation
from dragon_core.graph.schema import EDGES, EDGES_NAME, NODES_NAME, RELATIONS, RELATIONS_NAME

MAX_NODES = np.iinfo(np.int32).max
# A subgraph stores relation ids, their inverses and two more kinds of edges as int16.
MAX_RELATIONS = np.iinfo(np.int16).max // 2 - 2


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


def write_graph(writer: Writer, tables: GraphTables) -> None:
    """Clean the edges and write the graph's tables and adjacency arrays.

    Args:
        writer: The draft of the artifact; its counts are added to.
        tables: The graph.

    Raises:
        GraphError: An edge names a node or relation that does not exist, or there are too many of either.
    """
    edges = clean_edges(tables)
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
        isolated_nodes=int((np.diff(adjacency.neighbour_offsets) == 0).sum()),
    )


def clean_edges(tables: GraphTables) -> pa.Table:
    """Edges sorted by (head, relation, tail) and unique, without self loops.

    An edge of a symmetric relation gets its smaller node as the head. Of equal edges the largest weight is kept.

    Raises:
        GraphError: An edge names a node or relation that does not exist, or there are too many of either.
    """
    head, relation, tail, weight = (np.asarray(tables.edges[name]) for name in EDGES.names)
    _check_ids("node", np.concatenate([head, tail]), tables.nodes.num_rows, MAX_NODES)
    _check_ids("relation", relation, len(tables.relations), MAX_RELATIONS)
    symmetric = np.array([r.symmetric for r in tables.relations], dtype=bool)
    swap = symmetric[relation] & (head > tail)
    head, tail = np.where(swap, tail, head), np.where(swap, head, tail)
    order = np.lexsort((-weight, tail, relation, head))
    order = order[head[order] != tail[order]]
    head, relation, tail, weight = head[order], relation[order], tail[order], weight[order]
    repeated = np.zeros(len(order), dtype=bool)
    repeated[1:] = (head[1:] == head[:-1]) & (relation[1:] == relation[:-1]) & (tail[1:] == tail[:-1])
    columns = [column[~repeated] for column in (head, relation, tail, weight)]
    return pa.Table.from_arrays(
        [pa.array(c, field.type) for c, field in zip(columns, EDGES, strict=True)], schema=EDGES
    )


def adjacency_of(num_nodes: int, edges: pa.Table) -> Adjacency:
    """Compressed sparse rows, outgoing, incoming and undirected, of cleaned edges."""
    head, relation, tail = (np.asarray(edges[name]) for name in ("head", "relation", "tail"))
    incoming = np.lexsort((head, relation, tail))
    pairs = np.unique(np.concatenate([_pairs(head, tail, num_nodes), _pairs(tail, head, num_nodes)]))
    node, neighbour = np.divmod(pairs, max(num_nodes, 1))
    return Adjacency(
        out_offsets=_offsets(head, num_nodes),
        out_relations=relation,
        out_tails=tail,
        in_offsets=_offsets(tail, num_nodes),
        in_relations=relation[incoming],
        in_heads=head[incoming],
        neighbour_offsets=_offsets(node, num_nodes),
        neighbour_nodes=neighbour.astype(np.int32),
    )


def _pairs(first: Int32s, second: Int32s, num_nodes: int) -> Int64s:
    return first.astype(np.int64) * num_nodes + second


def _offsets(rows: npt.NDArray[Any], num_nodes: int) -> Int64s:
    offsets = np.zeros(num_nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=num_nodes), out=offsets[1:])
    return offsets


def _check_ids(kind: str, ids: npt.NDArray[Any], number: int, limit: int) -> None:
    if number > limit:
        raise GraphError(f"The graph has {number} {kind}s, more than the {limit} it can hold; leave some out.")
    if len(ids) and (ids.min() < 0 or ids.max() >= number):
        wrong = int(ids.min()) if ids.min() < 0 else int(ids.max())
        raise GraphError(f"An edge names {kind} {wrong}, but there are only {number}; the graph's reader is at fault.")
