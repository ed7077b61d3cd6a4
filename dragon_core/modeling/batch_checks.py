"""Whether a batch is one that the model can read: what is wrong is said before it becomes a wrong number."""

from collections.abc import Callable

import torch

from dragon_core.embedding.encoder import readable_tokens
from dragon_core.modeling.configuration_dragon import DragonConfig

# Where something is wrong, and what to say about the first such place.
Check = tuple[torch.Tensor, Callable[[int], str]]


def check_text(input_ids: torch.Tensor, attention_mask: torch.Tensor | None, config: DragonConfig) -> None:
    """Refuse texts that are too long, and tokens that the language model has not.

    Raises:
        ValueError: Names the example and the value.
    """
    backbone = config.backbone
    positions = readable_tokens(backbone)
    width = input_ids.shape[1]
    if width > positions:
        lengths = torch.full((len(input_ids),), width) if attention_mask is None else attention_mask.sum(1)
        longest = int(lengths.argmax())
        raise ValueError(
            f"example {longest} has {int(lengths[longest])} tokens, padded to {width}; the language model takes at most"
            f" {positions}"
        )
    wrong = (input_ids < 0) | (input_ids >= backbone.vocab_size)
    tokens, limit = input_ids.flatten(), _up_to(backbone.vocab_size)
    _refuse([(wrong.flatten(), lambda i: f"example {i // width} has token {tokens[i]}; {limit}")])


def check_graphs(
    num_texts: int,
    concept_ids: torch.Tensor,
    node_types: torch.Tensor,
    node_scores: torch.Tensor | None,
    node_batch: torch.Tensor,
    edge_index: torch.Tensor,
    edge_type: torch.Tensor,
    config: DragonConfig,
) -> None:
    """Refuse nodes, scores and edges that no table and no graph has.

    Args:
        num_texts: B; each must have a graph of at least its context node.
        concept_ids: [N].
        node_types: [N].
        node_scores: [N], or None.
        node_batch: [N].
        edge_index: [2, E].
        edge_type: [E].
        config: Says how many entities, types of nodes and types of edges there are.

    Raises:
        ValueError: Names the example and the value.
    """
    size = len(node_batch)
    unsorted = node_batch.diff(prepend=node_batch.new_zeros(1)) < 0
    _refuse([(unsorted, lambda i: f"node {i} is of example {node_batch[i]}; node_batch must rise from 0")])
    counts = torch.bincount(node_batch, minlength=num_texts)[:num_texts]
    source, target = edge_index.clamp(0, max(size - 1, 0))

    def of_node(i: int) -> str:
        return f"example {node_batch[i]}: node {i}"

    def of_edge(i: int) -> str:
        return f"example {node_batch[source[i]]}: edge {i} from node {edge_index[0, i]} to node {edge_index[1, i]}"

    entities, types, relations = config.num_entities + 1, config.num_node_types, config.num_edge_types
    checks: list[Check] = [
        (counts == 0, lambda i: f"example {i} has no node; a graph has at least its context node"),
        (_outside(concept_ids, entities), lambda i: f"{of_node(i)} is concept {concept_ids[i]}; {_up_to(entities)}"),
        (_outside(node_types, types), lambda i: f"{of_node(i)} has type {node_types[i]}; {_up_to(types)}"),
        (_outside(edge_index, size).any(0), lambda i: f"{of_edge(i)} leaves the batch; {_up_to(size)}"),
        (node_batch[source] != node_batch[target], lambda i: f"{of_edge(i)}, which is of another example's graph"),
        (_outside(edge_type, relations), lambda i: f"{of_edge(i)} has type {edge_type[i]}; {_up_to(relations)}"),
    ]
    if node_scores is not None:
        checks.append(
            (~node_scores.isfinite(), lambda i: f"{of_node(i)} has score {node_scores[i]}; it must be finite")
        )
    _refuse(checks)


def check_links(
    node_batch: torch.Tensor,
    head: torch.Tensor,
    relation: torch.Tensor,
    tail: torch.Tensor,
    negatives: torch.Tensor,
    config: DragonConfig,
) -> None:
    """Refuse triples whose ends or corruptions are not nodes of one graph, or whose relation no table has.

    Args:
        node_batch: [N].
        head: [P].
        relation: [P].
        tail: [P].
        negatives: [P, K].
        config: Says how many types of edges there are.

    Raises:
        ValueError: Names the example and the value.
    """
    ends = torch.cat([head[:, None], tail[:, None], negatives], dim=1)
    inside = ends.clamp(0, len(node_batch) - 1)
    graphs = node_batch[inside]

    def of_triple(i: int) -> str:
        triple = f"({head[i]}, {relation[i]}, {tail[i]})"
        return f"example {graphs[i, 0]}: triple {i}, {triple} with negatives {negatives[i].tolist()},"

    nodes, relations = len(node_batch), config.num_edge_types
    _refuse(
        [
            (_outside(ends, nodes).any(1), lambda i: f"{of_triple(i)} names a node that is not there; {_up_to(nodes)}"),
            ((graphs != graphs[:, :1]).any(1), lambda i: f"{of_triple(i)} names a node of another example's graph"),
            (_outside(relation, relations), lambda i: f"{of_triple(i)} has an unknown relation; {_up_to(relations)}"),
        ]
    )


def _refuse(checks: list[Check]) -> None:
    # One look for all of them: on a GPU each look waits for it.
    if torch.compiler.is_compiling() or not torch.stack([wrong.any() for wrong, _ in checks]).any():
        return
    for wrong, message in checks:
        if wrong.any():
            raise ValueError(message(int(wrong.nonzero()[0])))


def _outside(values: torch.Tensor, size: int) -> torch.Tensor:
    return (values < 0) | (values >= size)


def _up_to(size: int) -> str:
    return f"it must lie between 0 and {size - 1}"
