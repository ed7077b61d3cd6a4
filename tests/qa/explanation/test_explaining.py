"""What is told of a model that reads a graph is what it did; removing a node is what it says."""

import networkx as nx
import numpy as np
import pytest
from scipy.special import logit

from dragon_core.artifacts import Artifact, ArtifactStore
from dragon_core.qa.answering import QuestionAnswerer
from dragon_core.qa.explanation import explain
from dragon_core.qa.explanation.explaining import without_node
from dragon_core.subgraph import NodeType


@pytest.fixture(scope="module")
def answerer(store: ArtifactStore, arms: dict[str, Artifact]) -> QuestionAnswerer:
    return QuestionAnswerer.open(str(arms["dragon"].reference), store.url)


def test_attention_is_shared_among_the_nodes_of_each_subgraph(answerer: QuestionAnswerer) -> None:
    question = answerer.question("key7 or key8", ["door7", "nothing", "door5 and door8"])
    explanation = explain(answerer, question)
    assert [sorted(graph.subgraph.names) for graph in explanation.graphs] == [
        ["door7", "key7", "key8"],
        ["key7", "key8"],
        ["door5", "door8", "key7", "key8"],
    ]
    for graph in explanation.graphs:
        assert sum(graph.attention) == pytest.approx(1, abs=1e-5)
        assert min(graph.attention) >= 0
        assert sorted(graph.ranked) == list(range(len(graph.attention)))
    assert explanation.answer.probabilities == pytest.approx(
        answerer(question.question, question.choices).probabilities, abs=1e-5
    )


def test_the_right_choice_needs_its_door_and_the_path_to_it(answerer: QuestionAnswerer) -> None:
    explanation = explain(answerer, answerer.question("key7", ["door3", "door7", "door9"]))
    assert explanation.answer.text == "door7"
    right, wrong = explanation.graphs[1], explanation.graphs[0]
    assert [path.steps for path in right.paths] == [["key7 opens door7"]]
    assert wrong.paths == []
    after = {right.subgraph.names[removal.node]: removal.probability for removal in right.removals}
    # The certainty is lost; what is left is another than in any graph it learnt from.
    assert logit(after["door7"]) < logit(explanation.answer.probability) - 5
    attended = [right.attention[removal.node] for removal in right.removals]
    assert attended == sorted(attended, reverse=True)


def test_a_removal_is_the_answer_to_the_question_without_that_node(answerer: QuestionAnswerer) -> None:
    explanation = explain(answerer, answerer.question("key7", ["door3", "door7"]), num_removals=1)
    (removal,) = explanation.graphs[0].removals
    rows = answerer.prepare([explanation.answer.question]).to_pylist()
    rows[0] = without_node(rows[0], removal.node)
    changed = answerer.prepare([explanation.answer.question]).from_pylist(rows, answerer.prepare([]).schema)
    logits = np.concatenate([reading.logits for reading in answerer.read(changed)])
    expected = np.exp(logits) / np.exp(logits).sum()
    assert removal.probability == pytest.approx(expected[0], abs=1e-5)


def test_without_a_node_there_are_no_edges_of_it() -> None:
    random = np.random.default_rng(0)
    graph = nx.gnp_random_graph(9, 0.5, seed=1, directed=True)
    ids = random.permutation(50)[:9].tolist()
    record = {
        "question": "kept",
        "node_id": ids,
        "node_type": random.integers(0, 3, 9).tolist(),
        "node_score": random.random(9).tolist(),
        "head": [head for head, _ in graph.edges],
        "relation": [head * 10 + tail for head, tail in graph.edges],
        "tail": [tail for _, tail in graph.edges],
    }
    for node in range(9):
        left = without_node(record, node)
        assert left["question"] == "kept"
        assert left["node_id"] == ids[:node] + ids[node + 1 :]
        named = [(left["node_id"][h], r, left["node_id"][t]) for h, r, t in zip(*_edges(left), strict=True)]
        assert named == [(ids[h], h * 10 + t, ids[t]) for h, t in graph.edges if node not in (h, t)]
    assert len(record["node_id"]) == 9


def _edges(record: dict[str, list[int]]) -> tuple[list[int], list[int], list[int]]:
    return record["head"], record["relation"], record["tail"]


def test_a_question_without_a_concept_is_explained_by_empty_graphs(answerer: QuestionAnswerer) -> None:
    explanation = explain(answerer, answerer.question("What is it?", ["this", "door1"]))
    nothing, door = explanation.graphs
    assert (nothing.attention, nothing.paths, nothing.removals) == ([], [], [])
    assert door.subgraph.types == [NodeType.ANSWER]


def test_of_a_model_without_a_graph_there_are_probabilities_alone(
    store: ArtifactStore, arms: dict[str, Artifact]
) -> None:
    answerer = QuestionAnswerer.open(str(arms["lm"].reference), store.url)
    explanation = explain(answerer, answerer.question("key7", ["door3", "door7"]))
    assert explanation.graphs == []
    assert len(explanation.answer.probabilities) == 2
