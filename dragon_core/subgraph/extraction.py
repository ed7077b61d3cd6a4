"""From linked nodes to subgraphs: the linked nodes, the most relevant nodes on short paths between them, all edges.

With k = 2 the other nodes are those adjacent to at least two linked nodes (Yasunaga et al., NeurIPS 2022: nodes on
2-hop paths between linked nodes). Concatenating the linked nodes' rows of neighbours and counting finds them; no pair
of nodes is ever looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa

from dragon_core.graph import Adjacency, KnowledgeGraph
from dragon_core.subgraph import kernels
from dragon_core.subgraph.candidates import Array, Candidates, Float32s, Int64s, NamedNodes
from dragon_core.subgraph.errors import SubgraphError
from dragon_core.subgraph.params import NodeType, SubgraphParams
from dragon_core.subgraph.relevance import Relevance

NO_CAP = np.iinfo(np.int64).max


@dataclass(frozen=True)
class SubgraphBatch:
    """The subgraphs of S texts, laid end to end (n nodes, e edges in all).

    Attributes:
        node_offsets: [S + 1] int64 nodes of each text.
        node_id: [n] int32 ids in the graph: linked nodes in the order given, answer nodes, then others by relevance.
        node_type: [n] int8 `NodeType`.
        node_score: [n] float32 in [0, 1]: the relevance; if that reads no text, a linked node's score as given.
        edge_offsets: [S + 1] int64 edges of each text.
        head: [e] int16 positions among the text's nodes; sorted.
        relation: [e] int16 the graph's relations; each edge once, in the graph's direction.
        tail: [e] int16 positions among the text's nodes.
    """

    node_offsets: Int64s
    node_id: Array
    node_type: Array
    node_score: Array
    edge_offsets: Int64s
    head: Array
    relation: Array
    tail: Array

    def __len__(self) -> int:
        return len(self.node_offsets) - 1

    def to_arrow(self, schema: pa.Schema) -> dict[str, pa.ListArray]:
        """The list columns of a shard; `schema` says of which types."""
        columns = {}
        for field in fields(self):
            if field.name in ("node_offsets", "edge_offsets"):
                continue
            offsets = self.node_offsets if field.name.startswith("node") else self.edge_offsets
            values = pa.array(getattr(self, field.name)).cast(schema.field(field.name).type.value_type)
            columns[field.name] = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
        return columns


class SubgraphExtractor:
    """Extracts subgraphs of one graph; deterministic.

    Beside the graph, which is memory-mapped, it holds some arrays of a number a node.
    """

    def __init__(self, graph: KnowledgeGraph, params: SubgraphParams, relevance: Relevance) -> None:
        self._params = params
        self._relevance = relevance
        self._adjacency = followed_edges(graph, params.relations)
        size = graph.num_nodes
        self._place = np.full(size, kernels.NOT_IN_HAND, np.int32)
        self._touched = np.zeros(size, np.int32)
        self._seen = np.empty(size, np.int32)
        self._first = np.empty(size if params.k > 2 else 0, np.int32)

    def extract(
        self,
        named: NamedNodes,
        answers: NamedNodes | None = None,
        texts: Sequence[str] = (),
        vectors: Float32s | None = None,
    ) -> SubgraphBatch:
        """Extract the subgraphs of S texts, or of questions with an answer each.

        Args:
            named: Nodes linked in the texts; unknown ids are passed over.
            answers: Nodes linked in the answers; a node that is linked in both counts as the answer's.
            texts: S texts, if the relevance reads them.
            vectors: [S, d] their vectors, if the relevance compares them.
        """
        graph, params = self._adjacency, self._params
        answers = answers or NamedNodes.of([()] * len(named))
        linked_offsets, linked, is_answer, linked_scores = kernels.gather_linked(
            named.offsets,
            named.nodes,
            named.scores,
            answers.offsets,
            answers.nodes,
            answers.scores,
            self._place,
            params.max_nodes,
        )
        found = Candidates(
            linked_offsets,
            linked,
            *kernels.find_candidates(
                graph.offsets,
                graph.neighbours,
                linked_offsets,
                linked,
                params.k,
                NO_CAP if params.hub_cap is None else params.hub_cap,
                self._place,
                self._touched,
                self._seen,
                self._first,
            ),
        )
        if self._relevance.reads_texts:
            linked_nodes = replace(found, offsets=linked_offsets, nodes=linked, touched=np.zeros_like(linked))
            linked_scores = self._relevance(linked_nodes, texts, vectors)
        offsets, nodes, scores = kernels.select(
            linked_offsets,
            linked,
            linked_scores,
            found.offsets,
            found.nodes,
            self._relevance(found, texts, vectors),
            params.max_nodes,
        )
        edge_offsets, head, relation, tail = kernels.find_edges(
            graph.offsets, graph.neighbours, graph.relations, offsets, nodes, self._place
        )
        types = np.full(len(nodes), NodeType.OTHER, np.int8)
        rank = np.arange(len(linked)) - np.repeat(linked_offsets[:-1], np.diff(linked_offsets))
        types[np.repeat(offsets[:-1], np.diff(linked_offsets)) + rank] = np.where(
            is_answer, NodeType.ANSWER, NodeType.LINKED
        )
        return SubgraphBatch(offsets, nodes, types, scores, edge_offsets, head, relation, tail)


def followed_edges(graph: KnowledgeGraph, names: Sequence[str]) -> Adjacency:
    """The edges of some relations; those of all, which stay memory-mapped, if none is named.

    Raises:
        SubgraphError: The graph has no relation of a name.
    """
    known = [relation.name for relation in graph.relations]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SubgraphError(
            f"The graph has no relation {', '.join(map(repr, unknown))}; it has {', '.join(known)}. Mend `relations`."
        )
    if not names:
        return graph.adjacency
    wanted = np.array([known.index(name) for name in names])
    relations = graph.adjacency.relations
    kept = np.isin(np.where(relations < 0, -1 - relations, relations), wanted)
    offsets = np.concatenate([[0], np.cumsum(kept)])[graph.adjacency.offsets]
    return Adjacency(offsets, graph.adjacency.neighbours[kept], relations[kept])
