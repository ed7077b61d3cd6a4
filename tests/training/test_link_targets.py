import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.reporting import writer_of
from dragon_core.graph import KnowledgeGraph, Relation, write_graph
from dragon_core.training.graph_batch import GraphCollator
from dragon_core.training.link_targets import LinkTargets, LinkTargetSampler, rank_candidates
from dragon_core.training.published_links import PublishedLinkTargetSampler
from dragon_core.training.random_numbers import example_keys
from dragon_core.training.relation_ends import RelationEnds
from tests.graph.graphs import tables_of
from tests.training.shards import Row, Triple, row, subgraph_rows, subgraphs

SYMMETRIC = np.array([False, True, False])
NEGATIVES = 16


def sample(rows: list[Row], seed: int = 0, max_targets: int = 100, share: float = 0.15) -> LinkTargets:
    sampler = LinkTargetSampler(SYMMETRIC, max_targets, share, NEGATIVES)
    return sampler(subgraphs(rows), example_keys(seed, 0, np.arange(len(rows))))


def edges_of(rows: list[Row]) -> list[list[Triple]]:
    return [list(zip(r["head"], r["relation"], r["tail"], strict=True)) for r in rows]  # type: ignore[call-overload]


def true_triples(edges: list[Triple]) -> set[Triple]:
    return set(edges) | {(t, r, h) for h, r, t in edges if SYMMETRIC[r]}


def targets_of(rows: list[Row], links: LinkTargets) -> list[tuple[int, int, int, int]]:
    """Subgraph, head, KG relation and tail of each target."""
    heads, tails = located(rows, links.head), located(rows, links.tail)
    return [(g, h, int(r) - 2, t) for (g, h), r, (_, t) in zip(heads, links.relation, tails, strict=True)]


def located(rows: list[Row], positions: np.ndarray) -> list[tuple[int, int]]:
    """(subgraph, position in it) of positions among all nodes of the batch; -1 for a context node."""
    sizes = [len(r["node_id"]) + 1 for r in rows]  # type: ignore[arg-type]
    places = [(graph, place - 1) for graph, size in enumerate(sizes) for place in range(size)]
    return [places[position] for position in positions.tolist()]


@settings(deadline=None, max_examples=300)
@given(subgraph_rows(), st.integers(0, 10_000), st.integers(0, 5), st.sampled_from([0.15, 0.5, 1.0]))
def test_targets_and_negatives_are_what_they_should_be(
    rows: list[Row], seed: int, max_targets: int, share: float
) -> None:
    links = sample(rows, seed, max_targets, share)
    edges = edges_of(rows)
    targets = targets_of(rows, links)
    assert len(set(targets)) == len(targets)
    for graph, of_graph in enumerate(edges):
        chosen = [(h, r, t) for g, h, r, t in targets if g == graph]
        assert set(chosen) <= set(of_graph)
        assert len(chosen) <= min(max_targets, math.floor(share * len(of_graph)))
    for target, negatives in zip(targets, links.negatives, strict=True):
        graph, h, r, t = target
        places = located(rows, negatives)
        assert all(g == graph and place >= 0 for g, place in places)
        corrupted = [(n, r, t) for _, n in places[: NEGATIVES // 2]] + [(h, r, n) for _, n in places[NEGATIVES // 2 :]]
        assert len(corrupted) == NEGATIVES
        assert not set(corrupted) & true_triples(edges[graph])


@settings(deadline=None, max_examples=300)
@given(subgraph_rows(), st.integers(0, 10_000), st.sampled_from([0.15, 0.5]))
def test_no_edge_between_the_nodes_of_a_target_is_left_in_the_input(rows: list[Row], seed: int, share: float) -> None:
    links = sample(rows, seed, share=share)
    batch = GraphCollator(3)(subgraphs(rows), links.kept)
    hidden = {frozenset(pair) for pair in zip(links.head.tolist(), links.tail.tolist(), strict=True)}
    kept = [frozenset(pair) for pair in batch["edge_index"].T.tolist()]
    assert not hidden & set(kept)
    whole = GraphCollator(3)(subgraphs(rows))
    everything = [frozenset(pair) for pair in whole["edge_index"].T.tolist()]
    assert len(kept) == sum(pair not in hidden for pair in everything)


@settings(deadline=None, max_examples=200)
@given(subgraph_rows(), st.integers(0, 10_000))
def test_as_many_edges_are_held_out_as_may_be_where_every_one_can_be_corrupted(rows: list[Row], seed: int) -> None:
    links = sample(rows, seed)
    held_out = np.bincount([g for g, _ in located(rows, links.head)], minlength=len(rows))
    for graph, edges in enumerate(edges_of(rows)):
        truth, n = true_triples(edges), len(rows[graph]["node_id"])  # type: ignore[arg-type]
        if all(
            any((node, r, t) not in truth for node in range(n)) and any((h, r, node) not in truth for node in range(n))
            for h, r, t in edges
        ):
            assert held_out[graph] == math.floor(0.15 * len(edges))


def test_negatives_are_uniform_over_the_nodes_that_make_no_true_edge() -> None:
    # 0 -> 1 and 0 -> 2 are true, so tails are drawn from {0, 3, 4}; heads from {1, ..., 4}.
    rows = [row(0, "", [7, 8, 9, 10, 11], [0] * 5, [(0, 0, 1), (0, 0, 2)])]
    sampler = LinkTargetSampler(SYMMETRIC, 1, 0.5, 6000)
    links = sampler(subgraphs(rows), example_keys(1, 0, np.array([4])))
    heads = np.bincount(links.negatives[0, :3000] - 1, minlength=5) / 3000
    tails = np.bincount(links.negatives[0, 3000:] - 1, minlength=5) / 3000
    assert heads == pytest.approx([0, 0.25, 0.25, 0.25, 0.25], abs=0.04)
    assert tails == pytest.approx([1 / 3, 0, 0, 1 / 3, 1 / 3], abs=0.04)


def test_an_edge_that_cannot_be_corrupted_stays_in_the_input() -> None:
    # A symmetric relation between all pairs of two nodes, themselves included.
    rows = [row(0, "", [1, 2], [0, 0], [(0, 1, 0), (0, 1, 1), (1, 1, 1), (0, 0, 1)])]
    links = sample(rows, share=1.0)
    assert links.relation.tolist() == [2]
    # Its twin of the full relation leaves with it.
    assert links.kept.tolist() == [[True, False, True, False]] * 2


@settings(deadline=None)
@given(subgraph_rows(), st.integers(0, 10_000))
def test_an_example_is_treated_alike_in_any_batch(rows: list[Row], seed: int) -> None:
    keys = example_keys(seed, 0, np.arange(len(rows)))
    sampler = LinkTargetSampler(SYMMETRIC, num_negatives=NEGATIVES, share=0.5)
    together = sampler(subgraphs(rows), keys)
    graphs = np.array([g for g, _ in located(rows, together.head)], dtype=int)
    for graph in range(len(rows)):
        alone = sampler(subgraphs(rows[graph : graph + 1]), keys[graph : graph + 1])
        here, first = graphs == graph, sum(len(r["node_id"]) + 1 for r in rows[:graph])  # type: ignore[arg-type]
        np.testing.assert_array_equal(alone.head, together.head[here] - first)
        np.testing.assert_array_equal(alone.negatives, together.negatives[here] - first)


@settings(deadline=None, max_examples=300)
@given(subgraph_rows(), st.integers(0, 10_000))
def test_candidates_are_all_nodes_that_make_no_true_edge(rows: list[Row], seed: int) -> None:
    links = sample(rows, seed, share=1.0)
    candidates = rank_candidates(subgraphs(rows), links, SYMMETRIC)
    edges = edges_of(rows)
    half = candidates.shape[1] // 2
    for (graph, h, r, t), places in zip(targets_of(rows, links), candidates, strict=True):
        nodes = located(rows, places)
        assert all(g == graph for g, _ in nodes)
        truth, everyone = true_triples(edges[graph]), range(len(rows[graph]["node_id"]))  # type: ignore[arg-type]
        assert {n for _, n in nodes[:half]} - {h} == {n for n in everyone if (n, r, t) not in truth}
        assert {n for _, n in nodes[half:]} - {t} == {n for n in everyone if (h, r, n) not in truth}


def test_relation_aware_negatives_are_nodes_that_the_relation_has_at_that_end() -> None:
    # In the whole graph relation 0 has the heads 7 and 8 and the tails 9 and 11; the subgraph has 0: 7 -> 9.
    ends = RelationEnds(np.array([7, 8, 10]), np.array([0, 0, 1]), np.array([9, 11, 12]), SYMMETRIC, 20)
    rows = [row(0, "", [7, 8, 9, 10, 11, 12], [0] * 6, [(0, 0, 2), (3, 1, 5)])]
    sampler = LinkTargetSampler(SYMMETRIC, 2, 1.0, 400, ends)
    links = sampler(subgraphs(rows), example_keys(1, 0, np.array([4])))
    heads = [{n for _, n in located(rows, places[:200])} for places in links.negatives]
    tails = [{n for _, n in located(rows, places[200:])} for places in links.negatives]
    assert [int(r) - 2 for r in links.relation] == [0, 1]
    assert (heads[0], tails[0]) == ({1}, {4})
    # Relation 1 is symmetric, so 10 and 12 are at both ends, and both make the true edge or a loop.
    assert (heads[1], tails[1]) == ({5}, {3})


@settings(deadline=None, max_examples=200)
@given(subgraph_rows(), st.integers(0, 10_000))
def test_published_targets_are_drawn_from_edges_and_inverses(rows: list[Row], seed: int) -> None:
    sampler = PublishedLinkTargetSampler(3, 5, 0.5, NEGATIVES)
    links = sampler(subgraphs(rows), example_keys(seed, 0, np.arange(len(rows))))
    edges, targets = edges_of(rows), targets_of(rows, links)
    assert len(set(targets)) == len(targets)
    inverses = [[(t, r + 5, h) for h, r, t in of_graph] for of_graph in edges]
    for graph, of_graph in enumerate(edges):
        chosen = [(h, r, t) for g, h, r, t in targets if g == graph]
        assert len(chosen) == min(5, len(of_graph))
        assert set(chosen) <= set(of_graph) | set(inverses[graph])
    for (graph, *_), negatives in zip(targets, links.negatives, strict=True):
        assert {g for g, _ in located(rows, negatives)} == {graph}
    # What leaves the input is some of the targets, and nothing else.
    batch = GraphCollator(3)(subgraphs(rows), links.kept)
    whole = GraphCollator(3)(subgraphs(rows))
    left, all_edges = (
        {(*pair, r) for pair, r in zip(b["edge_index"].T.tolist(), b["edge_type"].tolist(), strict=True)}
        for b in (batch, whole)
    )
    gone = {(h, int(t), int(r)) for h, r, t in zip(links.head.tolist(), links.relation, links.tail, strict=True)}
    assert all_edges - left <= gone


def test_published_targets_mostly_leave_their_inverse_and_sometimes_themselves() -> None:
    random = np.random.default_rng(0)
    pairs = {tuple(sorted(pair)) for pair in random.integers(0, 40, (300, 2)).tolist() if pair[0] != pair[1]}
    rows = [row(i, "", list(range(40)), [0] * 40, [(h, 0, t) for h, t in sorted(pairs)]) for i in range(60)]
    links = PublishedLinkTargetSampler(3)(subgraphs(rows), example_keys(0, 0, np.arange(60)))
    batch = GraphCollator(3)(subgraphs(rows), links.kept)
    left = {(h, t) for h, t in batch["edge_index"].T.tolist()}
    ends = list(zip(links.head.tolist(), links.tail.tolist(), strict=True))
    assert np.mean([pair in left for pair in ends]) == pytest.approx(0.1, abs=0.03)
    assert np.mean([pair[::-1] in left for pair in ends]) == pytest.approx(1 - 0.9 * 0.15, abs=0.03)


def test_the_ends_of_relations_are_read_off_a_graph(tmp_path: Path) -> None:
    names = [f"node {i}" for i in range(13)]
    relations = [Relation("is a", "{head} is a {tail}"), Relation("same as", "{head} is {tail}", symmetric=True)]
    write_graph(writer_of(tmp_path), tables_of(names, relations, [(7, 0, 9), (8, 0, 11), (10, 1, 12)]))
    ends = RelationEnds.of(KnowledgeGraph.open(tmp_path))
    rows = [row(0, "", [7, 8, 9, 10, 11, 12], [0] * 6, [(0, 0, 2), (3, 1, 5)])]
    everything = np.ones((2, 6), dtype=bool)
    heads, tails = (
        ends.preferred(subgraphs(rows), np.array([0, 1]), everything, of_heads=of_heads).tolist()
        for of_heads in (True, False)
    )
    assert heads == [[True, True, False, False, False, False], [False, False, False, True, False, True]]
    assert tails == [[False, False, True, False, True, False], [False, False, False, True, False, True]]
