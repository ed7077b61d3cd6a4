"""A graph as text: its triples as sentences, for a language model that reads no graph."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dragon_core.graph import Relation
from dragon_core.training.subgraphs import Subgraphs


class GraphSentences:
    """Turns subgraphs into sentences by the templates of their relations.

    An ablation of the paper's: the language model gets the graph's facts, but not its structure.
    """

    def __init__(self, names: Sequence[str], relations: Sequence[Relation]) -> None:
        self._names = names
        self._templates = [relation.template for relation in relations]

    def __call__(self, subgraphs: Subgraphs, kept_edges: npt.NDArray[np.bool_] | None = None) -> list[str]:
        """One text a subgraph: its triples in order, a sentence each.

        Args:
            subgraphs: One a text.
            kept_edges: [m] which edges may be told; None: all.
        """
        sentences: list[list[str]] = [[] for _ in range(len(subgraphs))]
        edges = np.arange(len(subgraphs.head)) if kept_edges is None else np.flatnonzero(kept_edges)
        for edge in edges.tolist():
            graph = int(subgraphs.edge_graph[edge])
            head, tail = (
                self._names[subgraphs.node_id[end[edge]]] for end in (subgraphs.head_node, subgraphs.tail_node)
            )
            template = self._templates[subgraphs.relation[edge]]
            sentences[graph].append(f"{template.format(head=head, tail=tail)}.")
        return [" ".join(told) for told in sentences]
