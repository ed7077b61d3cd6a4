from itertools import combinations
from pathlib import Path

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.graph import KnowledgeGraph, Relation
from dragon_core.graph.build import adjacency_of, clean_edges
from dragon_core.subgraph import NodeType, Subgraph, SubgraphExtractor, SubgraphParams
from tests.graph.graphs import Triple, tables_of

RELATIONS = [Relation("is a", "{head} is a {tail}"), Relation("opposite", "{head} opposes {tail}", symmetric=True)]


def graph_of(size: int, triples: list[Triple]) -> KnowledgeGraph:
    tables = tables_of([f"node {i}" for i in range(size)], RELATIONS, triples)
    return KnowledgeGraph(Path(), adjacency_of(size, clean_edges(tables)), RELATIONS)


@st.composite
def questions(draw: st.DrawFn) -> tuple[int, list[Triple], list[int], list[int]]:
    """A random graph with self loops, parallel edges and isolated nodes; linked and answer nodes, some unknown."""
    size = draw(st.integers(1, 15))
    node = st.integers(0, size - 1)
    triples = draw(st.lists(st.tuples(node, st.integers(0, 1), node), max_size=60))
    anchor = st.integers(-1, size + 1)
    return size, triples, draw(st.lists(anchor, max_size=8)), draw(st.lists(anchor, max_size=3))


def naive_nodes(graph: nx.Graph, anchors: set[int]) -> set[int]:
    """The published recipe: common neighbours of all pairs."""
    found = set(anchors)
    for first, second in combinations(sorted(anchors), 2):
        found |= set(nx.common_neighbors(graph, first, second))
    return found


def edges_in_ids(subgraph: Subgraph) -> list[Triple]:
    ids = subgraph.node_id.tolist()
    triples = zip(subgraph.head.tolist(), subgraph.relation.tolist(), subgraph.tail.tolist(), strict=True)
    return [(ids[head], relation, ids[tail]) for head, relation, tail in triples]


@given(questions())
def test_nodes_and_edges_equal_the_pairwise_recipe(drawn: tuple[int, list[Triple], list[int], list[int]]) -> None:
    size, triples, linked, answer = drawn
    graph = graph_of(size, triples)
    subgraph = SubgraphExtractor(graph, SubgraphParams(max_nodes=100)).extract(linked, answer)
    anchors = {node for node in [*linked, *answer] if 0 <= node < size}
    whole = nx.Graph()
    whole.add_nodes_from(range(size))
    whole.add_edges_from((head, tail) for head, _, tail in triples if head != tail)
    expected = naive_nodes(whole, anchors)
    assert set(subgraph.node_id.tolist()) == expected
    assert len(subgraph.node_id) == len(expected)
    inside = [
        (head, relation, tail)
        for head in expected
        for relation, tail in zip(*(array.tolist() for array in graph.edges_from(head)), strict=True)
        if tail in expected
    ]
    assert sorted(edges_in_ids(subgraph)) == sorted(inside)


@given(questions())
def test_types_and_scores(drawn: tuple[int, list[Triple], list[int], list[int]]) -> None:
    size, triples, linked, answer = drawn
    graph = graph_of(size, triples)
    scores = dict.fromkeys(linked, 0.5)
    subgraph = SubgraphExtractor(graph, SubgraphParams()).extract(linked, answer, scores)
    known = [node for node in [*linked, *answer] if 0 <= node < size]
    for node, kind, score in zip(subgraph.node_id.tolist(), subgraph.node_type, subgraph.node_score, strict=True):
        if node in answer:
            assert kind == NodeType.ANSWER
        elif node in linked:
            assert (kind, score) == (NodeType.LINKED, 0.5)
        else:
            touched = set(graph.neighbours(node).tolist()) & set(known)
            assert kind == NodeType.OTHER
            assert abs(score - len(touched) / len(set(known))) < 1e-6


@given(questions(), st.integers(1, 12))
def test_fewer_nodes_are_the_first_of_more(
    drawn: tuple[int, list[Triple], list[int], list[int]], max_nodes: int
) -> None:
    size, triples, linked, answer = drawn
    graph = graph_of(size, triples)
    anchors = {node for node in [*linked, *answer] if 0 <= node < size}
    whole = SubgraphExtractor(graph, SubgraphParams()).extract(linked, answer)
    pruned = SubgraphExtractor(graph, SubgraphParams(max_nodes=max(max_nodes, len(anchors), 1))).extract(linked, answer)
    assert pruned.node_id.tolist() == whole.node_id.tolist()[: max(max_nodes, len(anchors))]
    kept = set(pruned.node_id.tolist())
    expected = [(h, r, t) for h, r, t in edges_in_ids(whole) if h in kept and t in kept]
    assert sorted(edges_in_ids(pruned)) == sorted(expected)


def test_one_extractor_serves_many_texts_alike() -> None:
    graph = graph_of(6, [(0, 0, 2), (1, 0, 2), (3, 0, 4), (5, 0, 4)])
    extractor = SubgraphExtractor(graph, SubgraphParams())
    first = edges_in_ids(extractor.extract([0, 1]))
    extractor.extract([3, 5])
    assert edges_in_ids(extractor.extract([0, 1])) == first == [(0, 0, 2), (1, 0, 2)]


def test_a_hub_stays_but_finds_no_bridges() -> None:
    star = [(0, 0, node) for node in range(1, 9)]
    graph = graph_of(10, [*star, (9, 0, 1), (9, 0, 2)])
    assert set(SubgraphExtractor(graph, SubgraphParams()).extract([0, 9]).node_id.tolist()) == {0, 9, 1, 2}
    assert set(SubgraphExtractor(graph, SubgraphParams(hub_cap=5)).extract([0, 9]).node_id.tolist()) == {0, 9}


def test_a_long_text_does_not_crowd_out_the_answer() -> None:
    subgraph = SubgraphExtractor(graph_of(9, []), SubgraphParams(max_nodes=4)).extract(range(8), [8])
    assert subgraph.node_id.tolist() == [0, 1, 2, 8]


def test_nothing_linked_is_an_empty_graph() -> None:
    subgraph = SubgraphExtractor(graph_of(3, [(0, 0, 1)]), SubgraphParams()).extract([])
    assert [len(array) for array in vars(subgraph).values()] == [0] * 6
