from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dragon_core.graph import KnowledgeGraph, Relation
from dragon_core.graph.build import adjacency_of, clean_edges
from dragon_core.subgraph import NamedNodes, NodeType, SubgraphBatch, SubgraphError, SubgraphExtractor, SubgraphParams
from dragon_core.subgraph.relevance import DegreeRelevance
from tests.graph.graphs import Triple, tables_of

RELATIONS = [Relation("is a", "{head} is a {tail}"), Relation("opposite", "{head} opposes {tail}", symmetric=True)]


@dataclass(frozen=True)
class Drawn:
    """A random graph with self loops, parallel edges and isolated nodes; what texts and answers name, some unknown."""

    size: int
    triples: list[Triple]
    named: list[list[int]]
    answers: list[list[int]]

    @property
    def graph(self) -> KnowledgeGraph:
        return graph_of(self.size, self.triples)

    def anchors(self, text: int) -> set[int]:
        return {node for node in [*self.named[text], *self.answers[text]] if 0 <= node < self.size}


def graph_of(size: int, triples: list[Triple]) -> KnowledgeGraph:
    tables = tables_of([f"node {i}" for i in range(size)], RELATIONS, triples)
    return KnowledgeGraph(Path(), adjacency_of(size, clean_edges(tables)), RELATIONS)


@st.composite
def drawings(draw: st.DrawFn) -> Drawn:
    size = draw(st.integers(1, 14))
    node = st.integers(0, size - 1)
    triples = draw(st.lists(st.tuples(node, st.integers(0, 1), node), max_size=50))
    texts = draw(st.integers(1, 3))
    anchor = st.integers(-1, size + 1)

    def lists(longest: int) -> st.SearchStrategy[list[list[int]]]:
        return st.lists(st.lists(anchor, max_size=longest), min_size=texts, max_size=texts)

    return Drawn(size, triples, draw(lists(6)), draw(lists(2)))


def extract(graph: KnowledgeGraph, named: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], **params: object):
    settings = SubgraphParams(**({"relevance": "degree", "max_nodes": 100} | params))
    return SubgraphExtractor(graph, settings, DegreeRelevance()).extract(NamedNodes.of(named), NamedNodes.of(answers))


def nodes_of(batch: SubgraphBatch, text: int) -> list[int]:
    return batch.node_id[batch.node_offsets[text] : batch.node_offsets[text + 1]].tolist()


def edges_of(batch: SubgraphBatch, text: int) -> list[Triple]:
    row = slice(batch.edge_offsets[text], batch.edge_offsets[text + 1])
    ids = nodes_of(batch, text)
    columns = (column[row].tolist() for column in (batch.head, batch.relation, batch.tail))
    return [(ids[head], relation, ids[tail]) for head, relation, tail in zip(*columns, strict=True)]


def induced(graph: KnowledgeGraph, nodes: Sequence[int]) -> list[Triple]:
    kept = set(nodes)
    return [
        (head, relation, tail)
        for head in nodes
        for relation, tail in zip(*(array.tolist() for array in graph.edges_from(head)), strict=True)
        if tail in kept
    ]


def simple(drawn: Drawn) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(drawn.size))
    graph.add_edges_from((head, tail) for head, _, tail in drawn.triples if head != tail)
    return graph


def naive_nodes(graph: nx.Graph, anchors: set[int], k: int) -> set[int]:
    """All nodes of all simple paths of at most `k` edges between two anchors that lead through no other anchor."""
    found = set(anchors)
    for source, target in combinations(sorted(anchors), 2):
        between = graph.subgraph(graph.nodes - (anchors - {source, target}))
        for path in nx.all_simple_paths(between, source, target, cutoff=k):
            found |= set(path)
    return found


@given(drawings(), st.integers(1, 3))
def test_nodes_are_those_of_all_short_paths(drawn: Drawn, k: int) -> None:
    batch = extract(drawn.graph, drawn.named, drawn.answers, k=k)
    for text in range(len(drawn.named)):
        found = nodes_of(batch, text)
        assert len(found) == len(set(found))
        assert set(found) == naive_nodes(simple(drawn), drawn.anchors(text), k)


@given(drawings())
def test_two_hops_are_the_common_neighbours_of_all_pairs(drawn: Drawn) -> None:
    batch, graph = extract(drawn.graph, drawn.named, drawn.answers), simple(drawn)
    for text in range(len(drawn.named)):
        expected = drawn.anchors(text)
        for first, second in combinations(sorted(expected), 2):
            expected |= set(nx.common_neighbors(graph, first, second))
        assert set(nodes_of(batch, text)) == expected


@given(drawings(), st.integers(1, 3))
def test_edges_are_all_those_among_the_nodes_each_once(drawn: Drawn, k: int) -> None:
    graph = drawn.graph
    batch = extract(graph, drawn.named, drawn.answers, k=k)
    for text in range(len(drawn.named)):
        assert sorted(edges_of(batch, text)) == sorted(induced(graph, nodes_of(batch, text)))
        heads = batch.head[batch.edge_offsets[text] : batch.edge_offsets[text + 1]]
        assert (np.diff(heads) >= 0).all()


@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 5), st.integers(0, 2**32 - 1))
@example(60, 60, 5, 0)
def test_hubs_are_searched_with_the_same_result(spokes: int, shared: int, others: int, seed: int) -> None:
    """Two hubs with many neighbours, so that their rows are searched rather than scanned."""
    random = np.random.default_rng(seed)
    size = 3 + spokes * 20
    ends = random.integers(3, size, (spokes * 40, 2))
    triples = [(int(hub % 2), int(end % 2), int(end)) for hub, end in ends]
    triples += [(2, 0, int(end)) for end in random.integers(0, size, others + shared // 10)]
    drawn = Drawn(size, triples, [[0, 1, 2], [0, 2, 5]], [[], []])
    batch, graph = extract(drawn.graph, drawn.named, drawn.answers, max_nodes=30_000), simple(drawn)
    for text in range(2):
        assert set(nodes_of(batch, text)) == naive_nodes(graph, drawn.anchors(text), 2)
        assert sorted(edges_of(batch, text)) == sorted(induced(drawn.graph, nodes_of(batch, text)))


@given(drawings(), st.integers(1, 3), st.integers(1, 6))
def test_no_path_is_followed_from_a_hub(drawn: Drawn, k: int, hub_cap: int) -> None:
    graph = drawn.graph
    batch = extract(graph, drawn.named, drawn.answers, k=k, hub_cap=hub_cap)
    hubs = {node for node in range(drawn.size) if graph.degrees[node] > hub_cap}
    for text in range(len(drawn.named)):
        anchors = drawn.anchors(text)
        # A path starts at neither end if that is a hub, and crosses no edge between two hubs.
        followed = simple(drawn)
        followed.remove_edges_from([edge for edge in followed.edges if not set(edge) - hubs])
        followed.remove_nodes_from(anchors & hubs)
        assert set(nodes_of(batch, text)) == anchors | naive_nodes(followed, anchors - hubs, k)


@given(drawings(), st.integers(1, 3))
def test_a_filter_of_relations_is_a_graph_without_the_others(drawn: Drawn, k: int) -> None:
    filtered = extract(drawn.graph, drawn.named, drawn.answers, k=k, relations=("opposite",))
    smaller = graph_of(drawn.size, [triple for triple in drawn.triples if triple[1] == 1])
    expected = extract(smaller, drawn.named, drawn.answers, k=k)
    for field in fields(SubgraphBatch):
        np.testing.assert_array_equal(getattr(filtered, field.name), getattr(expected, field.name))


@given(drawings())
def test_types_and_scores(drawn: Drawn) -> None:
    graph = drawn.graph
    named = NamedNodes.of(drawn.named, [[(i + 1) / 10 for i in range(len(row))] for row in drawn.named])
    answers = NamedNodes.of(drawn.answers)
    params = SubgraphParams(relevance="degree")
    batch = SubgraphExtractor(graph, params, DegreeRelevance()).extract(named, answers)
    for text in range(len(drawn.named)):
        row = slice(batch.node_offsets[text], batch.node_offsets[text + 1])
        anchors = drawn.anchors(text)
        for node, kind, score in zip(batch.node_id[row], batch.node_type[row], batch.node_score[row], strict=True):
            if node in drawn.answers[text]:
                assert (kind, score) == (NodeType.ANSWER, 1)
            elif node in drawn.named[text]:
                best = max((i + 1) / 10 for i, named_node in enumerate(drawn.named[text]) if named_node == node)
                assert kind == NodeType.LINKED
                assert score == pytest.approx(best)
            else:
                touched = set(graph.neighbours(node).tolist()) & anchors
                assert kind == NodeType.OTHER
                assert score == pytest.approx(len(touched) / len(anchors))


@given(drawings())
def test_linked_nodes_come_first_in_the_order_of_the_text(drawn: Drawn) -> None:
    batch = extract(drawn.graph, drawn.named, drawn.answers)
    for text in range(len(drawn.named)):
        answers = [node for node in drawn.answers[text] if 0 <= node < drawn.size]
        named = [node for node in drawn.named[text] if 0 <= node < drawn.size and node not in answers]
        expected = [*dict.fromkeys(named), *dict.fromkeys(answers)]
        assert nodes_of(batch, text)[: len(expected)] == expected


@given(drawings(), st.integers(1, 12))
def test_fewer_nodes_are_the_first_of_more(drawn: Drawn, max_nodes: int) -> None:
    graph = drawn.graph
    most = max(max_nodes, *(len(drawn.anchors(text)) for text in range(len(drawn.named))))
    whole = extract(graph, drawn.named, drawn.answers)
    pruned = extract(graph, drawn.named, drawn.answers, max_nodes=most)
    for text in range(len(drawn.named)):
        assert nodes_of(pruned, text) == nodes_of(whole, text)[:most]
        kept = set(nodes_of(pruned, text))
        expected = [(h, r, t) for h, r, t in edges_of(whole, text) if h in kept and t in kept]
        assert sorted(edges_of(pruned, text)) == sorted(expected)


@given(drawings(), st.integers(1, 3))
def test_a_batch_is_its_texts_one_by_one(drawn: Drawn, k: int) -> None:
    params = SubgraphParams(k=k, relevance="degree", max_nodes=4)
    extractor = SubgraphExtractor(drawn.graph, params, DegreeRelevance())
    batch = extractor.extract(NamedNodes.of(drawn.named), NamedNodes.of(drawn.answers))
    for text in range(len(drawn.named)):
        alone = extractor.extract(NamedNodes.of([drawn.named[text]]), NamedNodes.of([drawn.answers[text]]))
        assert (nodes_of(alone, 0), edges_of(alone, 0)) == (nodes_of(batch, text), edges_of(batch, text))


def test_a_long_text_does_not_crowd_out_the_answer() -> None:
    batch = extract(graph_of(9, [(0, 0, 1)]), [range(8)], [[8]], max_nodes=4)
    assert nodes_of(batch, 0) == [0, 1, 2, 8]


def test_nothing_linked_is_an_empty_graph() -> None:
    batch = extract(graph_of(3, [(0, 0, 1)]), [[], [0]], [[], []])
    assert batch.node_offsets.tolist() == [0, 0, 1]
    assert batch.edge_offsets.tolist() == [0, 0, 0]
    assert len(extract(graph_of(3, [(0, 0, 1)]), [], [])) == 0


def test_an_unknown_relation_is_refused() -> None:
    with pytest.raises(SubgraphError, match=r"no relation 'part of'; it has is a, opposite\. Mend `relations`"):
        extract(graph_of(3, []), [[0]], [[]], relations=("is a", "part of"))
