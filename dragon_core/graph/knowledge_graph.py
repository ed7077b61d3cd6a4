"""The knowledge graph as the later stages see it: memory-mapped adjacency arrays, and tables read when asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import networkx as nx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.graph.errors import GraphError
from dragon_core.graph.schema import NODES_NAME, RELATIONS_NAME

Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Relation:
    """A type of edge.

    Attributes:
        name: What it is called, such as `part of`.
        template: An English sentence with the places `{head}` and `{tail}`.
        symmetric: Whether an edge says the same in both directions; it is stored once, its smaller node as the head.
    """

    name: str
    template: str
    symmetric: bool = False


@dataclass(frozen=True)
class Adjacency:
    """A graph's edges in compressed sparse rows (N nodes, E edges, M pairs of neighbours in either order).

    Row `i` of a triple of arrays is the slice `offsets[i]:offsets[i + 1]`. Each is a file `<field>.npy`.

    Attributes:
        out_offsets: [N + 1] rows of the edges by their heads.
        out_relations: [E] relation of an edge; in a row sorted by (relation, tail).
        out_tails: [E] tail of an edge.
        in_offsets: [N + 1] rows of the edges by their tails.
        in_relations: [E] relation of an edge; in a row sorted by (relation, head).
        in_heads: [E] head of an edge.
        neighbour_offsets: [N + 1] rows of the undirected neighbours.
        neighbour_nodes: [M] neighbours, in a row unique, sorted and without the node itself.
    """

    out_offsets: Int64s
    out_relations: Int16s
    out_tails: Int32s
    in_offsets: Int64s
    in_relations: Int16s
    in_heads: Int32s
    neighbour_offsets: Int64s
    neighbour_nodes: Int32s

    @classmethod
    def file_names(cls) -> dict[str, str]:
        """File name of each array, by field."""
        return {field.name: f"{field.name}.npy" for field in fields(cls)}


class KnowledgeGraph:
    """A graph artifact, opened.

    Opening takes milliseconds whatever the size: the arrays are memory-mapped, so that processes on one machine share
    them, and the tables are read on first use. A pickled graph is its folder's path.

    Attributes:
        folder: Where its files lie.
        adjacency: All arrays together; each is an attribute of the graph too.
        relations: The types of edges; an edge's relation is a position in this list.
    """

    def __init__(self, folder: Path, adjacency: Adjacency, relations: list[Relation]) -> None:
        self.folder = folder
        self.adjacency = adjacency
        self.relations = relations
        self.out_offsets = adjacency.out_offsets
        self.out_relations = adjacency.out_relations
        self.out_tails = adjacency.out_tails
        self.in_offsets = adjacency.in_offsets
        self.in_relations = adjacency.in_relations
        self.in_heads = adjacency.in_heads
        self.neighbour_offsets = adjacency.neighbour_offsets
        self.neighbour_nodes = adjacency.neighbour_nodes

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the graph in an artifact's folder.

        Raises:
            GraphError: A file of the graph is missing.
        """
        try:
            arrays = {field: _mapped(folder / name) for field, name in Adjacency.file_names().items()}
            rows = pq.read_table(folder / RELATIONS_NAME).to_pylist()
        except FileNotFoundError as error:
            raise GraphError(f"{folder} holds no knowledge graph: {error.filename} is missing; build it.") from error
        return cls(folder, Adjacency(**arrays), [Relation(**row) for row in rows])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).open, (self.folder,)

    def __repr__(self) -> str:
        return f"KnowledgeGraph({self.folder}: {self.num_nodes} nodes, {self.num_edges} edges)"

    @property
    def num_nodes(self) -> int:
        """Number of nodes."""
        return len(self.out_offsets) - 1

    @property
    def num_edges(self) -> int:
        """Number of edges, each counted once in its stored direction."""
        return len(self.out_tails)

    @property
    def num_relations(self) -> int:
        """Number of types of edges, without inverses."""
        return len(self.relations)

    @cached_property
    def nodes(self) -> pa.Table:
        """The node table (`schema.NODES`)."""
        return pq.read_table(self.folder / NODES_NAME)

    @cached_property
    def names(self) -> list[str]:
        """Name of each node."""
        names: list[str] = pq.read_table(self.folder / NODES_NAME, columns=["name"])["name"].to_pylist()
        return names

    @cached_property
    def ids_by_name(self) -> dict[str, int]:
        """Node id of each name; of nodes with the same name, the first."""
        return {name: node for node, name in reversed(list(enumerate(self.names)))}

    def neighbours(self, node: int) -> Int32s:
        """Nodes with an edge to or from `node`: unique, sorted, without the node itself."""
        return self.neighbour_nodes[self.neighbour_offsets[node] : self.neighbour_offsets[node + 1]]

    def edges_from(self, node: int) -> tuple[Int16s, Int32s]:
        """Relations and tails of the edges whose head is `node`."""
        row = slice(self.out_offsets[node], self.out_offsets[node + 1])
        return self.out_relations[row], self.out_tails[row]

    def edges_to(self, node: int) -> tuple[Int16s, Int32s]:
        """Relations and heads of the edges whose tail is `node`."""
        row = slice(self.in_offsets[node], self.in_offsets[node + 1])
        return self.in_relations[row], self.in_heads[row]

    def to_networkx(self, nodes: Iterable[int] | None = None) -> nx.MultiDiGraph:
        """The subgraph that `nodes` (default: all) induce, to look at.

        Returns:
            Nodes are node ids with the attribute `name`; edge keys are relation ids, with the attribute `relation`.
        """
        kept = range(self.num_nodes) if nodes is None else [int(node) for node in nodes]
        graph = nx.MultiDiGraph()
        graph.add_nodes_from((node, {"name": self.names[node]}) for node in kept)
        for head in kept:
            for relation, tail in zip(*(array.tolist() for array in self.edges_from(head)), strict=True):
                if tail in graph:
                    graph.add_edge(head, tail, key=relation, relation=self.relations[relation].name)
        return graph


def _mapped(path: Path) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(path, mmap_mode="r")
    # A plain view: numpy.memmap's own indexing costs several times an ndarray's.
    return array.view(np.ndarray)
