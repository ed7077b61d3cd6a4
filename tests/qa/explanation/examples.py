"""Explanations that no model made, to be drawn."""

from collections.abc import Sequence

import numpy as np

from dragon_core.artifacts import ArtifactReference
from dragon_core.qa.answering import Answer
from dragon_core.qa.explanation import Explanation, GraphExplanation, Removal
from dragon_core.qa.explanation.paths import strongest_paths
from dragon_core.qa.question import Question
from dragon_core.subgraph import NodeType
from dragon_core.subgraph.inspection import ShownSubgraph

MODEL = ArtifactReference(stage="finetuned", key="0123456789abcdef")
FRIDGE = """milk at fridge; milk at store; milk is dairy; fridge in kitchen; dairy at fridge; cheese is dairy;
cheese at fridge; butter is dairy; butter at fridge; keep like preserve; preserve like keep food cold;
fridge for keep food cold; cow like milk; cow is farm animal; glass for milk; glass at kitchen; drink like milk;
drink at fridge; beer is drink; beer at fridge; cereal like milk; cereal at kitchen; ice at fridge; leftover like keep;
refrigerator like fridge; refrigerator at kitchen; carton for milk; carton at fridge; egg at fridge; egg at store;
leftover at fridge; yogurt is dairy; cream like milk; calf like cow; bottle for milk; bottle at fridge; jam at fridge;
jam like fruit; fruit at store; baby for milk; pan at kitchen; cream is dairy"""
OVEN = """oven in kitchen; milk for baking; butter for baking; oven for baking; keep like warm; oven like warm;
glass at kitchen"""
WORDS = {"at": "is found at", "is": "is a kind of", "in": "is part of", "for": "is used for", "like": "is related to"}


def subgraph_of(types: dict[str, NodeType], edges: Sequence[tuple[str, str, str]]) -> ShownSubgraph:
    """Named nodes, and edges (name, relation, name)."""
    names = list(types)
    ends = [(names.index(head), relation, names.index(tail)) for head, relation, tail in edges]
    sentences = [f"{head} {relation} {tail}" for head, relation, tail in edges]
    return ShownSubgraph("", names, list(types.values()), [1.0] * len(names), ends, sentences)


def read_graph(text: str, question: Sequence[str], choice: Sequence[str]) -> ShownSubgraph:
    """A subgraph in words, such as `milk at fridge; cow is animal`."""
    edges = []
    for clause in filter(None, (part.strip() for part in text.split(";"))):
        words = clause.split()
        at = next(place for place in range(1, len(words)) if words[place] in WORDS)
        edges.append((" ".join(words[:at]), WORDS[words[at]], " ".join(words[at + 1 :])))
    types = dict.fromkeys(question, NodeType.LINKED) | dict.fromkeys(choice, NodeType.ANSWER)
    others = {name: NodeType.OTHER for head, _, tail in edges for name in (head, tail) if name not in types}
    return subgraph_of(types | others, edges)


def explanation_of(question: str, choices: Sequence[str], graphs: Sequence[ShownSubgraph]) -> Explanation:
    """An explanation with made-up attention and probabilities."""
    random = np.random.default_rng(1)
    probabilities = [2.0**-number for number in range(1, len(choices))] + [2.0 ** (1 - len(choices))]
    explained = []
    for choice, graph in enumerate(graphs):
        weights = random.gamma(1, size=len(graph.names)) + [2.0 * (kind != NodeType.OTHER) for kind in graph.types]
        attention = (weights / weights.sum()).tolist()
        removals = [Removal(int(node), float(random.random())) for node in np.argsort(-weights)[:8]]
        explained.append(GraphExplanation(choice, graph, attention, strongest_paths(graph, attention, 5), removals))
    return Explanation(Answer(Question("1", question, list(choices), None), probabilities), MODEL, False, explained)


def milk() -> Explanation:
    """Three choices: many concepts, some, and none of the choice's own."""
    question = ["milk", "keep"]
    graphs = [read_graph(FRIDGE, question, ["fridge"]), read_graph(OVEN, question, ["oven"])]
    return explanation_of(
        "Where do you keep milk?", ["fridge", "oven", "nowhere"], [*graphs, read_graph("", question, [])]
    )
