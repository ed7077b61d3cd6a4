import pytest
import torch
from hypothesis import given, settings

from dragon_core.training.errors import TrainingError
from dragon_core.training.graph_batch import GraphCollator, count_edge_types
from tests.training.shards import Row, row, subgraph_rows, subgraphs

KG_RELATIONS = 3
R = 2 + KG_RELATIONS


def naive_batch(rows: list[Row]) -> tuple[list[tuple[int, int, float, int]], list[tuple[int, int, int]]]:
    """Nodes (concept id, type, score, graph) in order, and edges (source, type, target) in any order."""
    nodes, edges = [], []
    for graph, r in enumerate(rows):
        context = len(nodes)
        nodes.append((0, 3, 0.0, graph))
        for i, (node, kind, score) in enumerate(zip(r["node_id"], r["node_type"], r["node_score"], strict=True)):  # type: ignore[call-overload]
            nodes.append((node + 1, kind, score, graph))
            if kind in (0, 1):
                edges += [(context, kind, context + 1 + i), (context + 1 + i, kind + R, context)]
        for h, relation, t in zip(r["head"], r["relation"], r["tail"], strict=True):  # type: ignore[call-overload]
            h, t = context + 1 + h, context + 1 + t
            edges += [(h, 2 + relation, t), (t, 2 + relation + R, h)]
    return nodes, edges


@settings(deadline=None, max_examples=200)
@given(subgraph_rows(KG_RELATIONS))
def test_the_batch_is_that_of_the_naive_version(rows: list[Row]) -> None:
    batch = GraphCollator(KG_RELATIONS)(subgraphs(rows))
    nodes, edges = naive_batch(rows)
    columns = (batch["concept_ids"], batch["node_types"], batch["node_scores"], batch["node_batch"])
    made = list(zip(*(column.tolist() for column in columns), strict=True))
    assert [node[:2] + node[3:] for node in made] == [node[:2] + node[3:] for node in nodes]
    assert [node[2] for node in made] == pytest.approx([node[2] for node in nodes])
    triples = torch.stack([batch["edge_index"][0], batch["edge_type"], batch["edge_index"][1]], dim=1)
    assert sorted(map(tuple, triples.tolist())) == sorted(edges)
    assert all(tensor.dtype == torch.int64 for name, tensor in batch.items() if name != "node_scores")
    assert (batch["edge_type"] < count_edge_types(KG_RELATIONS)).all()


def test_relations_of_another_graph_are_refused() -> None:
    with pytest.raises(TrainingError, match="made with another graph"):
        GraphCollator(KG_RELATIONS)(subgraphs([row(0, "", [1, 2], [0, 0], [(0, KG_RELATIONS, 1)])]))
