import pickle
from pathlib import Path

import networkx as nx
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.graph import GraphError, KnowledgeGraph, Relation
from dragon_core.graph.build import GraphTables, adjacency_of, clean_edges
from dragon_core.graph.schema import EDGES
from tests.graph.graphs import Triple, small_graph, tables_of

IS_A = Relation("is a", "{head} is a kind of {tail}")
ANTONYM = Relation("antonym", "{head} is the opposite of {tail}", symmetric=True)
RELATIONS = [IS_A, ANTONYM]


@st.composite
def random_tables(draw: st.DrawFn) -> tuple[GraphTables, list[Triple]]:
    size = draw(st.integers(1, 12))
    node = st.integers(0, size - 1)
    triples = draw(st.lists(st.tuples(node, st.integers(0, 1), node), max_size=40))
    return tables_of([f"node {i}" for i in range(size)], RELATIONS, triples), triples


def expected_edges(triples: list[Triple]) -> set[Triple]:
    """The naive version: one edge at a time."""
    kept = set()
    for head, relation, tail in triples:
        if head == tail:
            continue
        if RELATIONS[relation].symmetric and head > tail:
            head, tail = tail, head
        kept.add((head, relation, tail))
    return kept


@given(random_tables())
def test_clean_edges_are_the_sorted_set_of_sensible_edges(drawn: tuple[GraphTables, list[Triple]]) -> None:
    tables, triples = drawn
    edges = clean_edges(tables)
    assert edges.schema == EDGES
    rows = [(row["head"], row["relation"], row["tail"]) for row in edges.to_pylist()]
    assert rows == sorted(expected_edges(triples))


@given(random_tables())
def test_adjacency_rows_equal_a_scan_of_the_edges(drawn: tuple[GraphTables, list[Triple]]) -> None:
    tables, triples = drawn
    size = tables.nodes.num_rows
    edges = expected_edges(triples)
    adjacency = adjacency_of(size, clean_edges(tables))
    graph = KnowledgeGraph(Path(), adjacency, RELATIONS)
    assert graph.num_nodes == size
    assert graph.num_edges == len(edges)
    for node in range(size):
        outgoing = [(t, r) for r, t in zip(*(a.tolist() for a in graph.edges_from(node)), strict=True)]
        incoming = [(h, r) for r, h in zip(*(a.tolist() for a in graph.edges_to(node)), strict=True)]
        assert outgoing == sorted((t, r) for h, r, t in edges if h == node)
        assert [h for h, _ in incoming] == sorted(h for h, _, t in edges if t == node)
        assert set(incoming) == {(h, r) for h, r, t in edges if t == node}
        assert graph.degrees[node] == len(outgoing) + len(incoming)
        either = {t for h, _, t in edges if h == node} | {h for h, _, t in edges if t == node}
        assert graph.neighbours(node).tolist() == sorted(either)


def test_of_equal_edges_the_largest_weight_is_kept() -> None:
    tables = tables_of(["a", "b"], RELATIONS, [(0, 1, 1), (1, 1, 0), (0, 1, 1)])
    weights = np.array([0.5, 2.0, 1.0], dtype=np.float32)
    edges = tables.edges.set_column(3, "weight", [weights])
    assert clean_edges(GraphTables(tables.nodes, RELATIONS, edges)).to_pylist() == [
        {"head": 0, "relation": 1, "tail": 1, "weight": 2.0}
    ]


@pytest.mark.parametrize("triple", [(0, 0, 2), (-1, 0, 1), (0, 2, 1)])
def test_an_edge_to_nowhere_is_refused(triple: Triple) -> None:
    with pytest.raises(GraphError, match=r"An edge names (node|relation)"):
        clean_edges(tables_of(["a", "b"], RELATIONS, [triple]))


def test_an_opened_graph_gives_back_what_was_written(tmp_path: Path) -> None:
    graph = small_graph(tmp_path, ["dog", "cat", "animal", "stone"], RELATIONS, [(0, 0, 2), (1, 0, 2), (1, 1, 0)])
    assert (graph.num_nodes, graph.num_edges, graph.num_relations) == (4, 3, 2)
    assert graph.relations == RELATIONS
    assert graph.names == ["dog", "cat", "animal", "stone"]
    assert graph.ids_by_name["animal"] == 2
    assert graph.nodes["description"][3].as_py() == "the meaning of stone"
    assert graph.nodes["types"][3].as_py() == ["thing"]
    assert [array.dtype for array in graph.edges_from(0)] == [np.int16, np.int32]
    assert pq.read_schema(tmp_path / "edges.parquet").equals(EDGES)


def test_networkx_view_is_the_induced_subgraph(tmp_path: Path) -> None:
    graph = small_graph(tmp_path, ["dog", "cat", "animal", "stone"], RELATIONS, [(0, 0, 2), (1, 0, 2), (1, 1, 0)])
    view = graph.to_networkx([0, 2, 3])
    assert sorted(view.nodes) == [0, 2, 3]
    assert list(view.edges(data="relation")) == [(0, 2, "is a")]
    whole = graph.to_networkx()
    assert nx.number_of_edges(whole) == 3
    for node in whole:
        assert set(nx.all_neighbors(whole, node)) == set(graph.neighbours(node).tolist())


@given(random_tables(), st.data())
def test_the_pytorch_geometric_view_is_the_induced_subgraph(
    drawn: tuple[GraphTables, list[Triple]], data: st.DataObject
) -> None:
    tables, triples = drawn
    size = tables.nodes.num_rows
    graph = KnowledgeGraph(Path(), adjacency_of(size, clean_edges(tables)), RELATIONS)
    nodes = data.draw(st.none() | st.lists(st.integers(0, size - 1), unique=True))
    view = graph.to_pyg(nodes)
    kept = list(range(size)) if nodes is None else nodes
    assert view.node_id.tolist() == kept
    assert view.num_nodes == len(kept)
    heads, tails = (view.node_id[positions].tolist() for positions in view.edge_index)
    found = list(zip(heads, view.edge_type.tolist(), tails, strict=True))
    assert sorted(found) == sorted((h, r, t) for h, r, t in expected_edges(triples) if h in kept and t in kept)


def test_a_pickled_graph_is_opened_anew(tmp_path: Path) -> None:
    graph = small_graph(tmp_path, ["dog", "cat", "animal"], RELATIONS, [(0, 0, 2), (1, 0, 2)])
    assert len(pickle.dumps(graph)) < 1000
    assert pickle.loads(pickle.dumps(graph)).neighbours(2).tolist() == [0, 1]


def test_a_graph_without_edges_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="2 nodes and no edge"):
        small_graph(tmp_path, ["dog", "cat"], RELATIONS, [(1, 0, 1)])


def test_a_folder_without_a_graph_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="holds no knowledge graph"):
        KnowledgeGraph.open(tmp_path)
