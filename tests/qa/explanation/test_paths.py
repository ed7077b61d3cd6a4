"""Paths are those that networkx finds, in the order that is told."""

import math
from itertools import pairwise

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.qa.explanation.paths import short_paths, strongest_paths
from dragon_core.subgraph import NodeType
from tests.qa.explanation.examples import subgraph_of

NODES = st.integers(0, 8)
EDGES = st.lists(st.tuples(NODES, NODES), max_size=24)


@given(EDGES, st.sets(NODES, max_size=3), st.sets(NODES, max_size=3))
def test_short_paths_are_all_simple_paths_of_up_to_three_edges(
    edges: list[tuple[int, int]], sources: set[int], targets: set[int]
) -> None:
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(9))
    expected = sorted(
        tuple(path)
        for source in sources
        for target in targets
        if source != target
        for path in nx.all_simple_paths(graph, source, target, cutoff=3)
    )
    assert sorted(short_paths(edges, sources, targets)) == expected


@given(
    EDGES,
    st.lists(st.floats(0, 1), min_size=9, max_size=9),
    st.lists(st.sampled_from(NodeType), min_size=9, max_size=9),
)
def test_the_strongest_paths_are_the_first_of_all_sorted(
    edges: list[tuple[int, int]], attention: list[float], types: list[NodeType]
) -> None:
    names = [f"n{node}" for node in range(9)]
    triples = [(names[head], "to", names[tail]) for head, tail in edges]
    subgraph = subgraph_of(dict(zip(names, types, strict=True)), triples)
    everything = strongest_paths(subgraph, attention, 10_000)
    assert strongest_paths(subgraph, attention, 3) == everything[:3]

    def strength(nodes: tuple[int, ...]) -> tuple[float, int, float]:
        along = [attention[node] for node in nodes]
        return min(along), -len(along), math.prod(along)

    for path in everything:
        assert (types[path.nodes[0]], types[path.nodes[-1]]) == (NodeType.LINKED, NodeType.ANSWER)
        assert path.attention == strength(path.nodes)[0]
        for step, ends in zip(path.steps, pairwise(path.nodes), strict=True):
            said = {f"n{head} to n{tail}" for head, tail in edges if {head, tail} == set(ends)}
            assert set(step.split(", and ")) == said
    for better, worse in pairwise(everything):
        assert strength(better.nodes) >= strength(worse.nodes)
