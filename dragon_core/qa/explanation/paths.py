"""The short paths of a subgraph from what the question names to what the choice names, the strongest first."""

import heapq
import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dragon_core.subgraph import NodeType
from dragon_core.subgraph.inspection import ShownSubgraph


@dataclass(frozen=True)
class ConceptPath:
    """A path of one to three edges, whatever their directions; no node twice.

    Attributes:
        nodes: Positions in the subgraph, from a question's concept to a choice's.
        attention: The least attention of its nodes: a path is as strong as its weakest node.
        steps: Each step in words; of parallel edges all.
    """

    nodes: tuple[int, ...]
    attention: float
    steps: list[str]


def short_paths(
    edges: Collection[tuple[int, int]], sources: Collection[int], targets: Collection[int]
) -> Iterator[tuple[int, ...]]:
    """All paths of one to three edges, each once.

    Args:
        edges: Pairs of nodes; followed in both directions.
        sources: Where paths start.
        targets: Where they end.
    """
    neighbours: dict[int, set[int]] = defaultdict(set)
    for head, tail in edges:
        if head != tail:
            neighbours[head].add(tail)
            neighbours[tail].add(head)
    for source in sources:
        for target in targets:
            if source == target:
                continue
            before_target = neighbours[target] - {source}
            if target in neighbours[source]:
                yield source, target
            for first in neighbours[source] - {target}:
                if first in before_target:
                    yield source, first, target
                for second in neighbours[first] & before_target:
                    yield source, first, second, target


def strongest_paths(subgraph: ShownSubgraph, attention: Sequence[float], count: int) -> list[ConceptPath]:
    """The paths from question to choice that the model attended to most.

    The order is that of `ConceptPath.attention`; among equals shorter paths come first, then those with the larger
    product of their nodes' attention.

    Args:
        subgraph: n nodes and their edges.
        attention: n values.
        count: Most paths to give.
    """
    kinds = range(len(subgraph.types))
    sources = [node for node in kinds if subgraph.types[node] == NodeType.LINKED]
    targets = [node for node in kinds if subgraph.types[node] == NodeType.ANSWER]
    told: dict[frozenset[int], list[str]] = defaultdict(list)
    for (head, _, tail), sentence in zip(subgraph.edges, subgraph.sentences, strict=True):
        told[frozenset((head, tail))].append(sentence)

    def weakness(nodes: tuple[int, ...]) -> tuple[float, int, float, tuple[int, ...]]:
        along = [attention[node] for node in nodes]
        return -min(along), len(nodes), -math.prod(along), nodes

    pairs = [(head, tail) for head, _, tail in subgraph.edges]
    return [
        ConceptPath(
            nodes,
            min(attention[node] for node in nodes),
            [", and ".join(told[frozenset(step)]) for step in pairwise(nodes)],
        )
        for nodes in heapq.nsmallest(count, short_paths(pairs, sources, targets), key=weakness)
    ]
