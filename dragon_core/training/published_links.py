"""Link prediction's targets as the published code draws them, for comparison with it.

Edges and their inverses are drawn from alike, and 10% of the targets stay in the input. Two more weaknesses are kept
on purpose: the inverse of a target mostly stays in the input, which gives the target away, and a negative is any node
of the subgraph, its context node included, whether the result is a true edge or not.
"""

import numpy as np

from dragon_core.training.graph_batch import NUM_CONTEXT_RELATIONS
from dragon_core.training.link_targets import LinkTargets, ranked_edges
from dragon_core.training.random_numbers import Purpose, UInt64s, uniform
from dragon_core.training.subgraphs import Subgraphs

REMOVED_SHARE = 0.9


class PublishedLinkTargetSampler:
    """Draws targets and negatives.

    Attributes:
        num_kg_relations: Of the graph.
        max_targets: Most targets of a subgraph.
        share: Largest share of a subgraph's edges and inverses to be targets.
        num_negatives: K, even.
    """

    def __init__(
        self, num_kg_relations: int, max_targets: int = 100, share: float = 0.15, num_negatives: int = 64
    ) -> None:
        self.num_kg_relations = num_kg_relations
        self.max_targets = max_targets
        self.share = share
        self.num_negatives = num_negatives

    def __call__(self, subgraphs: Subgraphs, keys: UInt64s) -> LinkTargets:
        """Choose the targets of a batch.

        Args:
            subgraphs: B subgraphs.
            keys: [B] random keys of the examples.
        """
        # An edge and its inverse stand next to each other.
        graphs, counts = np.repeat(subgraphs.edge_graph, 2), 2 * subgraphs.edge_counts
        targets = ranked_edges(graphs, counts, keys, self.share, self.max_targets)
        graph, edge, inverse = graphs[targets], targets // 2, targets % 2 == 1
        first = np.cumsum(counts) - counts
        place = targets - first[graph]
        kept = np.ones((len(subgraphs.head), 2), dtype=bool)
        removed = uniform(keys[graph], Purpose.KEPT_TARGETS, place) < REMOVED_SHARE
        kept.reshape(-1)[targets[removed]] = False
        head, tail = subgraphs.head_position[edge], subgraphs.tail_position[edge]
        counters = place[:, None] * self.num_negatives + np.arange(self.num_negatives)
        numbers = uniform(keys[graph][:, None], Purpose.NEGATIVES, counters)
        nodes = (numbers * (subgraphs.node_counts[graph] + 1)[:, None]).astype(np.int64)
        offset = np.where(inverse, NUM_CONTEXT_RELATIONS + self.num_kg_relations, 0)
        return LinkTargets(
            kept=kept.T,
            edges=edge,
            head=np.where(inverse, tail, head),
            relation=subgraphs.relation[edge] + NUM_CONTEXT_RELATIONS + offset,
            tail=np.where(inverse, head, tail),
            negatives=nodes + subgraphs.context_position[graph][:, None],
        )
