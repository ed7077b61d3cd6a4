"""Builds graphs of small sources, and tells what is in them."""

from pathlib import Path
from typing import Any, NamedTuple

import fsspec
import pyarrow.parquet as pq

from dragon_core.artifacts import ArtifactStore, ExternalFiles, make
from dragon_core.artifacts.draft import REJECTS_NAME, Writer
from dragon_core.artifacts.folder import Folder
from dragon_core.graph.knowledge_graph import KnowledgeGraph
from dragon_core.graph.schema import EDGES_NAME
from dragon_core.graph.sources import GraphParams
from dragon_core.graph.stage import BuildGraph


class Built(NamedTuple):
    """A graph that the stage made of a source.

    Attributes:
        graph: The graph.
        triples: (head's key, relation's name, tail's key) of its edges.
        counts: What the stage counted.
        rejects: (file, record, reason).
    """

    graph: KnowledgeGraph
    triples: set[tuple[str, str, str]]
    counts: dict[str, int]
    rejects: list[tuple[str, str, str]]

    def node(self, key: str) -> dict[str, Any]:
        """The row of a node."""
        return next(row for row in self.graph.nodes.to_pylist() if row["key"] == key)

    def weights(self) -> dict[tuple[str, str, str], float]:
        """Weight of each edge."""
        rows = pq.read_table(self.graph.folder / EDGES_NAME).to_pylist()
        keys = self.graph.nodes["key"].to_pylist()
        names = [relation.name for relation in self.graph.relations]
        return {(keys[r["head"]], names[r["relation"]], keys[r["tail"]]): r["weight"] for r in rows}


def build(root: Path, store: Path, params: GraphParams) -> Built:
    """Run the stage."""
    artifact = make(BuildGraph(source=ExternalFiles.of("source", root), params=params), ArtifactStore(str(store)))
    path = artifact.folder / REJECTS_NAME
    rejects = [tuple(row.values()) for row in pq.read_table(path).to_pylist()] if path.exists() else []
    built = Built(KnowledgeGraph.open(artifact.folder), set(), artifact.manifest.counts, rejects)
    return built._replace(triples=set(built.weights()))


def scratch_writer(folder: Path) -> Writer:
    """Takes counts and rejects."""
    return Writer(Folder(fsspec.filesystem("file"), str(folder)))
