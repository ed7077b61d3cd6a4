import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.modeling.relevance_readout import LIMIT, NUM_FEATURES, SCALE, RelevanceReadout

QUESTION, ANSWER, OTHER, CONTEXT = range(4)


def naive(types: np.ndarray, scores: np.ndarray, edges: list[tuple[int, int]]) -> list[float]:
    """The numbers of one graph."""
    of_kind = [[score for kind, score in zip(types, scores, strict=True) if kind == wanted] for wanted in range(3)]
    means = [float(np.mean(found)) if found else 0.0 for found in of_kind]
    largest = max(of_kind[ANSWER], default=0.0)
    direct = [1 for head, tail in edges if {types[head], types[tail]} == {QUESTION, ANSWER}]
    both_ways = [(h, t) for h, t in edges + [(t, h) for h, t in edges] if CONTEXT not in {types[h], types[t]}]
    neighbours = [[tail for head, tail in both_ways if head == node] for node in range(len(types))]
    weights = [1 / np.log(2 + len(found)) for found in neighbours]
    kinds_beside = [{types[other] for other in found} for found in neighbours]
    asked = [node for node, kind in enumerate(types) if kind == QUESTION]
    linked = [node for node in asked if ANSWER in kinds_beside[node]]
    joining = [n for n, kind in enumerate(types) if kind == OTHER and {QUESTION, ANSWER} <= kinds_beside[n]]
    return [
        *means,
        largest,
        np.log1p(len(of_kind[ANSWER])),
        np.log1p(len(direct)),
        sum(scores[node] for node in linked),
        sum(weights[node] for node in linked) / sum(weights[node] for node in asked) if asked else 0.0,
        sum(weights[node] for node in joining),
        float(np.mean([scores[node] for node in joining])) if joining else 0.0,
    ]


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_numbers_of_each_graph_are_those_of_a_loop(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    graph, types, scores, ends, expected = [], [], [], [], []
    for number in range(size):
        count, first = int(random.integers(0, 6)), len(graph)
        of_graph = np.concatenate([[CONTEXT], random.integers(0, 3, count)])
        of_nodes = np.concatenate([[0.0], random.random(count)])
        edges = [(int(h), int(t)) for h, t in random.integers(0, count + 1, (int(random.integers(0, 8)), 2))]
        expected.append(naive(of_graph, of_nodes, edges))
        graph += [number] * (count + 1)
        types += of_graph.tolist()
        scores += of_nodes.tolist()
        ends += [(first + h, first + t) for h, t in edges] + [(first + t, first + h) for h, t in edges]
    readout = RelevanceReadout().double().eval()
    with torch.no_grad():
        found = readout(
            torch.tensor(graph),
            torch.tensor(types),
            torch.tensor(scores, dtype=torch.float64),
            torch.tensor(ends, dtype=torch.int64).reshape(-1, 2).T,
            size,
        )
    # As they begin, the running statistics change nothing but for the small number below the root.
    np.testing.assert_allclose(found.numpy() / SCALE * np.sqrt(1 + readout.norm.eps), expected, atol=1e-12)


def test_without_scores_only_the_counts_are_left() -> None:
    readout = RelevanceReadout().eval()
    graph, types = torch.tensor([0, 0, 0]), torch.tensor([CONTEXT, QUESTION, ANSWER])
    edges = torch.tensor([[1, 2], [2, 1]])
    with torch.no_grad():
        found = readout(graph, types, None, edges, 1)
    assert found.shape == (1, NUM_FEATURES)
    expected = torch.tensor([0, 0, 0, 0, np.log(2), np.log(2), 0, 1, 0, 0], dtype=torch.float32)
    torch.testing.assert_close(found[0] / SCALE, expected, atol=1e-4, rtol=0)


def test_a_single_graph_can_be_trained_on_whatever_stands_behind_it() -> None:
    readout = RelevanceReadout().train()
    graph, types = torch.tensor([0, 0, 1, 1]), torch.tensor([CONTEXT, ANSWER, QUESTION, ANSWER])
    edges = torch.tensor([[2, 3], [3, 2]])
    found = readout(graph, types, torch.tensor([0.0, 0.5, 0.1, 0.2]), edges, 1)
    assert found.shape == (1, NUM_FEATURES)
    assert found.isfinite().all()


def test_what_never_changed_in_training_drowns_nothing_where_it_does() -> None:
    readout = RelevanceReadout()
    types, scores, edges = (
        torch.tensor([ANSWER, ANSWER]),
        torch.tensor([0.1, 0.7]),
        torch.zeros(2, 0, dtype=torch.int64),
    )
    for _ in range(200):
        readout(torch.tensor([0, 1]), types, scores, edges, 2)
    readout.eval()
    with torch.no_grad():
        (found,) = readout(torch.tensor([0]), torch.tensor([QUESTION]), torch.tensor([0.2]), edges, 1)
    assert found.abs().max() == SCALE * LIMIT
