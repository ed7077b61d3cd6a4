import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.graph.build import adjacency_of, clean_edges
from dragon_core.graph.relations import Relation
from dragon_core.graph.statistics import GraphStatistics
from tests.graph.graphs import Triple, tables_of

RELATIONS = [Relation(name, "{head} {tail}") for name in "abc"]


@given(st.data(), st.integers(1, 15))
def test_statistics_are_those_of_networkx(data: st.DataObject, size: int) -> None:
    node = st.integers(0, size - 1)
    triples: list[Triple] = data.draw(st.lists(st.tuples(node, st.integers(0, 2), node), max_size=20))
    edges = {(head, relation, tail) for head, relation, tail in triples if head != tail}
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from((head, tail, relation) for head, relation, tail in edges)
    tables = tables_of([str(number) for number in range(size)], RELATIONS, triples)
    statistics = GraphStatistics.of(adjacency_of(size, clean_edges(tables)), len(RELATIONS))
    degrees = [degree for _, degree in sorted(graph.degree())]
    assert statistics.degrees.tolist() == degrees
    assert statistics.edges_of_relations.tolist() == [sum(r == number for _, r, _ in edges) for number in range(3)]
    components = sorted((len(c) for c in nx.weakly_connected_components(graph) if len(c) > 1), reverse=True)
    assert statistics.component_sizes.tolist() == components
    assert statistics.isolated_nodes == nx.number_of_isolates(graph)
    by_degree = sorted(range(size), key=lambda node: (-degrees[node], node))
    assert statistics.most_connected(4) == [node for node in by_degree[:4] if degrees[node]]
