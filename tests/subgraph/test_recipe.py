"""Extraction gives the nodes and edges of the published recipe, which looks at all pairs of nodes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from benchmarks.baselines.networkx_subgraphs import NetworkxExtractor
from benchmarks.conceptnet import triples_of_82k
from benchmarks.reporting import writer_of
from dragon_core.graph import KnowledgeGraph, Relation, write_graph
from dragon_core.subgraph import NamedNodes, SubgraphExtractor, SubgraphParams
from dragon_core.subgraph.relevance import DegreeRelevance
from tests.graph.graphs import tables_of
from tests.shared_data import SHARED_DATA
from tests.subgraph.test_extraction import Drawn, drawings, edges_of, nodes_of

AS_THE_RECIPE = SubgraphParams(relevance="degree", hub_cap=None, max_nodes=30_000)


def assert_equal(graph: KnowledgeGraph, named: list[list[int]]) -> None:
    recipe = NetworkxExtractor(graph)
    batch = SubgraphExtractor(graph, AS_THE_RECIPE, DegreeRelevance()).extract(NamedNodes.of(named))
    for text, nodes in enumerate(named):
        expected_nodes, expected_edges = recipe.extract([*{node for node in nodes if 0 <= node < graph.num_nodes}])
        assert set(nodes_of(batch, text)) == expected_nodes
        assert sorted(edges_of(batch, text)) == sorted(expected_edges)


@given(drawings())
def test_on_random_graphs(drawn: Drawn) -> None:
    assert_equal(drawn.graph, drawn.named)


@pytest.mark.skipif(
    not (SHARED_DATA / "conceptnet-82k").exists(), reason="ConceptNet is not there: set DRAGON_SHARED_DATA."
)
def test_on_conceptnet(tmp_path: Path) -> None:
    triples = sorted({*triples_of_82k()})
    names = sorted({name for head, _, tail in triples for name in (head, tail)})
    relations = sorted({relation for _, relation, _ in triples})
    ids = {name: node for node, name in enumerate(names)}
    rows = [(ids[head], relations.index(relation), ids[tail]) for head, relation, tail in triples]
    tables = tables_of(names, [Relation(name, f"{{head}} {name} {{tail}}") for name in relations], rows)
    write_graph(writer_of(tmp_path), tables)
    graph = KnowledgeGraph.open(tmp_path)
    # As often as they have edges, so that the hubs are among them.
    ends = np.random.default_rng(0).choice(graph.adjacency.neighbours, (50, 8))
    assert_equal(graph, [*ends.tolist(), [-1, graph.num_nodes, *graph.degrees.argsort()[-5:].tolist()]])
