"""Small graphs for tests, written and opened like real ones."""

from collections.abc import Sequence
from pathlib import Path

import fsspec
import pyarrow as pa

from dragon_core.artifacts.draft import Draft
from dragon_core.artifacts.folder import Folder
from dragon_core.graph.build import GraphTables, write_graph
from dragon_core.graph.knowledge_graph import KnowledgeGraph, Relation
from dragon_core.graph.schema import EDGES, NODES

Triple = tuple[int, int, int]


def tables_of(names: Sequence[str], relations: Sequence[Relation], triples: Sequence[Triple]) -> GraphTables:
    """Graph tables with (head, relation, tail) as edges of weight 1."""
    nodes = [
        {
            "key": name.replace(" ", "_"),
            "name": name,
            "aliases": [],
            "description": f"the meaning of {name}",
            "types": ["thing"],
        }
        for name in names
    ]
    edges = [{"head": h, "relation": r, "tail": t, "weight": 1.0} for h, r, t in triples]
    return GraphTables(
        nodes=pa.Table.from_pylist(nodes, schema=NODES),
        relations=list(relations),
        edges=pa.Table.from_pylist(edges, schema=EDGES),
    )


def small_graph(
    folder: Path, names: Sequence[str], relations: Sequence[Relation], triples: Sequence[Triple]
) -> KnowledgeGraph:
    """Write a graph into `folder` and open it."""
    draft = Draft(Folder(fsspec.filesystem("file"), str(folder)), [])
    write_graph(draft, tables_of(names, relations, triples))
    return KnowledgeGraph.open(folder)
