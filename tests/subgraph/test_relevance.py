from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForMaskedLM, AutoTokenizer

from dragon_core.embedding.encoder import find_encoder
from dragon_core.embedding.likelihood import LikelihoodScorer
from dragon_core.subgraph import NamedNodes, SubgraphError, SubgraphExtractor, SubgraphParams
from dragon_core.subgraph.candidates import Candidates
from dragon_core.subgraph.relevance import (
    TOLERANCE,
    DegreeRelevance,
    LanguageModelRelevance,
    PageRankRelevance,
    RandomRelevance,
    SimilarityRelevance,
)
from tests.graph.graphs import Triple
from tests.subgraph.test_extraction import graph_of


def candidates(linked: list[list[int]], nodes: list[list[int]], touched: list[list[int]] | None = None) -> Candidates:
    def offsets(rows: list[list[int]]) -> np.ndarray:
        return np.cumsum([0, *map(len, rows)], dtype=np.int64)

    def flat(rows: list[list[int]]) -> np.ndarray:
        return np.array([value for row in rows for value in row], dtype=np.int32)

    return Candidates(offsets(linked), flat(linked), offsets(nodes), flat(nodes), flat(touched or nodes))


@st.composite
def connected_graphs(draw: st.DrawFn) -> tuple[int, list[Triple]]:
    """A random tree with more edges, some parallel."""
    size = draw(st.integers(2, 12))
    tree = [(draw(st.integers(0, node - 1)), draw(st.integers(0, 1)), node) for node in range(1, size)]
    ends = st.integers(0, size - 1)
    more = draw(st.lists(st.tuples(ends, st.integers(0, 1), ends), max_size=20))
    return size, tree + more


@given(connected_graphs(), st.data())
def test_ppr_is_at_most_the_tolerance_an_edge_below_the_exact_one(
    drawn: tuple[int, list[Triple]], data: st.DataObject
) -> None:
    size, triples = drawn
    graph = graph_of(size, triples)
    seeds = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=3, unique=True))
    whole = nx.MultiDiGraph()
    whole.add_nodes_from(range(size))
    for node in range(size):
        for tails in (graph.edges_from(node)[1], graph.edges_to(node)[1]):
            whole.add_edges_from((node, int(tail)) for tail in tails)
    exact = nx.pagerank(whole, alpha=0.85, personalization=dict.fromkeys(seeds, 1), tol=1e-12, max_iter=1000)
    relevance = PageRankRelevance(graph.adjacency)
    everyone = candidates([seeds, seeds], [list(range(size))] * 2)
    scores = relevance(everyone, (), None)
    np.testing.assert_array_equal(scores[:size], scores[size:])
    missing = np.array([exact[node] for node in range(size)]) - scores[:size]
    assert (missing > -1e-6).all()
    assert (missing <= TOLERANCE * graph.degrees + 1e-6).all()


def test_ppr_of_hubs_still_tells_candidates_apart() -> None:
    leaves = [(hub, 0, leaf) for hub in (0, 1) for leaf in range(10, 7000)]
    graph = graph_of(7000, [*leaves, (0, 0, 2), (1, 0, 2), (0, 1, 2), (1, 1, 2), (0, 0, 3), (1, 0, 3)])
    twice, once = PageRankRelevance(graph.adjacency)(candidates([[0, 1]], [[2, 3]]), (), None)
    assert twice > 1.5 * once > 0


def test_vectors_of_two_lengths_are_refused() -> None:
    nodes, texts = np.zeros((3, 4), np.float32), np.zeros((1, 5), np.float32)
    with pytest.raises(SubgraphError, match="Texts have vectors of 5 numbers, nodes of 4"):
        SimilarityRelevance(nodes)(candidates([[]], [[0]]), (), texts)


def test_similarity_is_the_cosine_and_never_negative() -> None:
    random = np.random.default_rng(0)
    nodes, texts = (random.normal(size=(count, 24)).astype(np.float32) for count in (9, 2))
    nodes[4] = 0
    scores = SimilarityRelevance(nodes)(candidates([[], []], [[0, 1, 2, 3, 4], [5, 6, 7, 8]]), (), texts)
    for at, (text, node) in enumerate([(0, n) for n in range(5)] + [(1, n) for n in range(5, 9)]):
        norm = np.linalg.norm(texts[text]) * np.linalg.norm(nodes[node])
        expected = max(texts[text] @ nodes[node] / norm, 0) if norm else 0
        assert scores[at] == pytest.approx(expected, abs=1e-6)


def test_degree_is_the_share_of_linked_nodes_touched() -> None:
    scores = DegreeRelevance()(candidates([[1, 2, 3, 4], [5]], [[7, 8], []], [[2, 4], []]), (), None)
    assert scores.tolist() == [0.5, 1.0]


def test_random_is_decided_by_seed_text_and_node() -> None:
    found = candidates([[1, 2], [1, 3]], [list(range(500))] * 2)
    scores = RandomRelevance(0)(found, (), None)
    np.testing.assert_array_equal(scores, RandomRelevance(0)(found, (), None))
    alone = RandomRelevance(0)(candidates([[1, 3]], [list(range(500))]), (), None)
    np.testing.assert_array_equal(scores[500:], alone)
    for other in (scores[500:], RandomRelevance(1)(found, (), None)[:500]):
        assert abs(np.corrcoef(scores[:500], other)[0, 1]) < 0.2
    assert 0 <= scores.min() < 0.01
    assert 0.99 < scores.max() < 1
    assert abs(scores.mean() - 0.5) < 0.05


def test_lm_reads_the_name_however_long_the_text_is() -> None:
    relevance = LanguageModelRelevance(LikelihoodScorer.load(find_encoder("embedded").root), ["bread", "quantum foam"])
    scores = relevance(candidates([[]], [[0, 1]]), ["She bakes all the day long. " * 100], None)
    assert scores[0] > 1.001 * scores[1]


def test_lm_is_the_likelihood_of_the_text_with_the_name() -> None:
    folder: Path = find_encoder("embedded").root
    names = ["bread", "a bowl of very hot soup", "bread"]
    relevance = LanguageModelRelevance(LikelihoodScorer.load(folder), names)
    scores = relevance(candidates([[], []], [[0, 1], [2]]), ["She bakes", "He eats"], None)
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    texts = ["she bakes bread.", "she bakes a bowl of very hot soup.", "he eats bread."]
    for text, score in zip(texts, scores, strict=True):
        batch = tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            loss = model(**batch, labels=batch["input_ids"]).loss
        assert score == pytest.approx(float(torch.exp(-loss)), rel=1e-4)


@pytest.mark.parametrize("reads_texts", [True, False])
def test_what_a_text_names_is_scored_if_the_relevance_reads_texts(reads_texts: bool) -> None:
    graph = graph_of(4, [(0, 0, 2), (1, 0, 2)])
    vectors = np.array([[1, 0], [0, 1], [3, 4], [1, 1]], np.float32)
    relevance = SimilarityRelevance(vectors) if reads_texts else DegreeRelevance()
    extractor = SubgraphExtractor(graph, SubgraphParams(relevance="degree"), relevance)
    named, answers = NamedNodes.of([[0]], [[0.7]]), NamedNodes.of([[1]], [[0.9]])
    found = extractor.extract(named, answers, vectors=np.array([[2, 0]], np.float32))
    assert found.node_id.tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.node_score, [1, 0, 0.6] if reads_texts else [0.7, 0.9, 1], atol=1e-6)
