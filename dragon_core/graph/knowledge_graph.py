"""The knowledge graph as the later stages see it: memory-mapped adjacency arrays, and tables read when asked for."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.graph.errors import GraphError
from dragon_core.graph.relations import Relation
from dragon_core.graph.schema import NODES_NAME, RELATIONS_NAME

if TYPE_CHECKING:
    import networkx

Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Adjacency:
    """A graph's edges in compressed sparse rows, each edge in the rows of both its ends (N nodes, E edges).

    Row `i` of `neighbours` and `relations` is the slice `offsets[i]:offsets[i + 1]`, sorted by (neighbour, relation).
    Each array is a file `<field>.npy`.

    Attributes:
        offsets: [N + 1] rows of the nodes.
        neighbours: [2 E] the edge's other end.
        relations: [2 E] its relation `r`; `-1 - r` in the row of its tail, where the edge comes in.
    """

    offsets: Int64s
    neighbours: Int32s
    relations: Int16s

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
        adjacency: Its edges.
        relations: The types of edges; an edge's relation is a position in this list.
    """

    def __init__(self, folder: Path, adjacency: Adjacency, relations: list[Relation]) -> None:
        self.folder = folder
        self.adjacency = adjacency
        self.relations = relations

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the graph in an artifact's folder.

        Raises:
            GraphError: A file of the graph is missing.
        """
        try:
            arrays = {field: _mapped(folder / name) for field, name in Adjacency.file_names().items()}
            relations = read_relations(folder)
        except FileNotFoundError as error:
            raise GraphError(f"{folder} holds no knowledge graph: {error.filename} is missing; build it.") from error
        return cls(folder, Adjacency(**arrays), relations)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).open, (self.folder,)

    def __repr__(self) -> str:
        return f"KnowledgeGraph({self.folder}: {self.num_nodes} nodes, {self.num_edges} edges)"

    @property
    def num_nodes(self) -> int:
        """Number of nodes."""
        return len(self.adjacency.offsets) - 1

    @property
    def num_edges(self) -> int:
        """Number of edges, each counted once in its stored direction."""
        return len(self.adjacency.neighbours) // 2

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

    @property
    def degrees(self) -> Int64s:
        """[num_nodes] edges at each node."""
        return np.diff(self.adjacency.offsets)

    def neighbours(self, node: int) -> Int32s:
        """Nodes with an edge to or from `node`: unique, sorted, without the node itself."""
        return np.unique(self._row(node)[0])

    def edges_from(self, node: int) -> tuple[Int16s, Int32s]:
        """Relations and tails of the edges whose head is `node`, sorted by (tail, relation)."""
        neighbours, relations = self._row(node)
        outgoing = relations >= 0
        return relations[outgoing], neighbours[outgoing]

    def edges_to(self, node: int) -> tuple[Int16s, Int32s]:
        """Relations and heads of the edges whose tail is `node`, sorted by head."""
        neighbours, relations = self._row(node)
        incoming = relations < 0
        return -1 - relations[incoming], neighbours[incoming]

    def _row(self, node: int) -> tuple[Int32s, Int16s]:
        row = slice(self.adjacency.offsets[node], self.adjacency.offsets[node + 1])
        return self.adjacency.neighbours[row], self.adjacency.relations[row]

    def to_networkx(self, nodes: Iterable[int] | None = None) -> "networkx.MultiDiGraph":
        """The subgraph that `nodes` (default: all) induce, to look at.

        Returns:
            Nodes are node ids with the attribute `name`; edge keys are relation ids, with the attribute `relation`.
        """
        import networkx

        kept = range(self.num_nodes) if nodes is None else [int(node) for node in nodes]
        graph = networkx.MultiDiGraph()
        graph.add_nodes_from((node, {"name": self.names[node]}) for node in kept)
        for head in kept:
            for relation, tail in zip(*(array.tolist() for array in self.edges_from(head)), strict=True):
                if tail in graph:
                    graph.add_edge(head, tail, key=relation, relation=self.relations[relation].name)
        return graph

    def to_pyg(self, nodes: Iterable[int] | None = None) -> Any:
        """The subgraph that `nodes` (default: all) induce, as PyTorch Geometric has graphs.

        Returns:
            A `torch_geometric.data.Data` (n nodes, e edges): node_id [n] int64 ids in this graph, edge_index [2, e]
            int64 positions of heads and tails in node_id, edge_type [e] int64 relations.
        """
        import torch
        from torch_geometric.data import Data

        kept = np.arange(self.num_nodes) if nodes is None else np.array([int(node) for node in nodes], dtype=np.int64)
        positions = np.full(self.num_nodes, -1)
        positions[kept] = np.arange(len(kept))
        counts = self.degrees[kept]
        firsts = np.repeat(self.adjacency.offsets[kept] - (np.cumsum(counts) - counts), counts)
        places = firsts + np.arange(len(firsts))
        heads, tails = np.repeat(np.arange(len(kept)), counts), positions[self.adjacency.neighbours[places]]
        relations = self.adjacency.relations[places]
        is_inside = (tails >= 0) & (relations >= 0)
        return Data(
            node_id=torch.from_numpy(kept),
            edge_index=torch.from_numpy(np.stack([heads[is_inside], tails[is_inside]])),
            edge_type=torch.from_numpy(relations[is_inside].astype(np.int64)),
            num_nodes=len(kept),
        )


def read_relations(folder: Path) -> list[Relation]:
    """The types of edges of the graph in an artifact's folder, in the order of their ids."""
    return [Relation(**row) for row in pq.read_table(folder / RELATIONS_NAME).to_pylist()]


def _mapped(path: Path) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(path, mmap_mode="r")
    # A plain view: numpy.memmap's own indexing costs several times an ndarray's.
    return array.view(np.ndarray)
