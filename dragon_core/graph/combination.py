"""One graph of two."""

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.graph.build import GraphTables
from dragon_core.graph.knowledge_graph import read_relations
from dragon_core.graph.schema import EDGES, EDGES_NAME, NODES, NODES_NAME


def read_tables(folder: Path) -> GraphTables:
    """The tables of a graph artifact."""
    nodes, edges = pq.read_table(folder / NODES_NAME), pq.read_table(folder / EDGES_NAME)
    return GraphTables(nodes, read_relations(folder), edges)


def combine(first: GraphTables, second: GraphTables) -> GraphTables:
    """Join two graphs: nodes of the same key, and relations of the same name, become one.

    A node keeps the first graph's name, and its description if it has one; aliases and types are those of both, and
    another name in the second graph becomes an alias. A relation keeps the first graph's template, and is
    symmetric if it is there.
    """
    nodes = pl.concat([_nodes(first, 0), _nodes(second, 1)]).sort("key", "graph")
    ids = nodes.select("graph", "row", node=pl.col("key").rle_id().cast(pl.Int32)).sort("graph", "row")["node"]
    names = list(dict.fromkeys(relation.name for tables in (first, second) for relation in tables.relations))
    known = {relation.name: relation for tables in (second, first) for relation in tables.relations}
    edges = []
    for tables, numbers in zip((first, second), (ids[: len(first.nodes)], ids[len(first.nodes) :]), strict=True):
        relation_ids = np.array([names.index(relation.name) for relation in tables.relations], dtype=np.int16)
        node_ids = numbers.to_numpy()
        columns = [
            node_ids[np.asarray(tables.edges["head"])],
            relation_ids[np.asarray(tables.edges["relation"])],
            node_ids[np.asarray(tables.edges["tail"])],
            tables.edges["weight"],
        ]
        edges.append(pa.table(columns, schema=EDGES))
    return GraphTables(_merged(nodes), [known[name] for name in names], pa.concat_tables(edges))


def _nodes(tables: GraphTables, graph: int) -> pl.DataFrame:
    frame = pl.DataFrame(pl.from_arrow(tables.nodes))
    return frame.with_columns(graph=pl.lit(graph, pl.UInt8), row=pl.int_range(pl.len(), dtype=pl.UInt32))


def _merged(nodes: pl.DataFrame) -> pa.Table:
    """One row a key; `nodes` are sorted by key, of one key the first graph's first."""
    names = pl.col("aliases").explode().append(pl.col("name")).drop_nulls().unique(maintain_order=True)
    merged = nodes.group_by("key", maintain_order=True).agg(
        name=pl.col("name").first(),
        aliases=names.filter(names != pl.col("name").first()),
        description=pl.col("description").filter(pl.col("description") != "").first().fill_null(""),
        types=pl.col("types").explode().drop_nulls().unique(maintain_order=True),
    )
    return merged.select(NODES.names).to_arrow().cast(NODES)
