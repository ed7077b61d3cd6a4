"""From the subgraphs of a batch, laid end to end, to the tensors that the model reads.

Each subgraph gets a context node, which stands for its text. It comes first, has concept id 0 and node type 3, and is
linked to the nodes that are named in the text. Shapes: B subgraphs, n nodes and m KG edges in all, N = n + B.
"""

import numpy as np
import numpy.typing as npt
import torch

from dragon_core.training.errors import TrainingError
from dragon_core.training.subgraphs import Array, Int64s, Subgraphs

Bools = npt.NDArray[np.bool_]

CONTEXT_CONCEPT = 0
QUESTION_NODE = 0
ANSWER_NODE = 1
CONTEXT_NODE = 3
CONTEXT_TO_QUESTION = 0
CONTEXT_TO_ANSWER = 1
NUM_CONTEXT_RELATIONS = 2


def count_edge_types(num_kg_relations: int) -> int:
    """Number of edge types of a batch: context and KG relations, and the inverses of all."""
    return 2 * (NUM_CONTEXT_RELATIONS + num_kg_relations)


class GraphCollator:
    """Makes the graph part of a batch; used by pretraining and by question answering.

    Edge types: 0 context node to a question node, 1 context node to an answer node, 2 + r for the KG's relation r, and
    + R for the inverse of each, with R = 2 + the KG's relations.
    """

    def __init__(self, num_kg_relations: int) -> None:
        self.num_relations = NUM_CONTEXT_RELATIONS + num_kg_relations

    def __call__(self, subgraphs: Subgraphs, kept_edges: Bools | None = None) -> dict[str, torch.Tensor]:
        """Lay out a batch.

        Args:
            subgraphs: One a text.
            kept_edges: [2, m] which KG edges the model may see, and which of their inverses; None: all.

        Returns:
            concept_ids, node_types, node_batch [N] int64; node_scores [N] float32 (0 for the context node); edge_index
            [2, E] and edge_type [E] int64.

        Raises:
            TrainingError: A relation is not one of the graph's.
        """
        if len(subgraphs.relation) and subgraphs.relation.max() >= self.num_relations - NUM_CONTEXT_RELATIONS:
            raise TrainingError(
                f"A subgraph has relation {subgraphs.relation.max()}, the graph has only"
                f" {self.num_relations - NUM_CONTEXT_RELATIONS}: the subgraphs were made with another graph."
            )
        positions = np.arange(len(subgraphs.node_id)) + subgraphs.node_graph + 1
        total = len(positions) + len(subgraphs)
        source, relation, target = self._edges(subgraphs, positions)
        seen = np.ones((2, len(source)), dtype=bool)
        if kept_edges is not None:
            seen[:, len(source) - len(subgraphs.head) :] = kept_edges
        arrays = {
            "concept_ids": _placed(total, CONTEXT_CONCEPT, positions, subgraphs.node_id + 1),
            "node_types": _placed(total, CONTEXT_NODE, positions, subgraphs.node_type),
            "node_scores": _placed(total, np.float32(0), positions, subgraphs.node_score),
            "node_batch": np.repeat(np.arange(len(subgraphs)), subgraphs.node_counts + 1),
            "edge_index": np.stack(
                [
                    np.concatenate([source[seen[0]], target[seen[1]]]),
                    np.concatenate([target[seen[0]], source[seen[1]]]),
                ]
            ),
            "edge_type": np.concatenate([relation[seen[0]], relation[seen[1]] + self.num_relations]),
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def _edges(self, subgraphs: Subgraphs, positions: Int64s) -> tuple[Int64s, Int64s, Int64s]:
        """Context edges, then KG edges."""
        linked = np.flatnonzero((subgraphs.node_type == QUESTION_NODE) | (subgraphs.node_type == ANSWER_NODE))
        context = subgraphs.context_position[subgraphs.node_graph[linked]]
        context_relation = np.where(
            subgraphs.node_type[linked] == QUESTION_NODE, CONTEXT_TO_QUESTION, CONTEXT_TO_ANSWER
        )
        return (
            np.concatenate([context, subgraphs.head_position]),
            np.concatenate([context_relation, subgraphs.relation + NUM_CONTEXT_RELATIONS]),
            np.concatenate([positions[linked], subgraphs.tail_position]),
        )


def _placed(length: int, default: int | np.float32, positions: Int64s, values: Array) -> Array:
    result = np.full(length, default, dtype=values.dtype)
    result[positions] = values
    return result
