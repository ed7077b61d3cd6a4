"""Candidate nodes of a mention, ranked by a linear model of what speaks for them.

Without annotated documents its weights are set by hand; with them they maximise the likelihood of the annotated nodes
among the candidates.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from dragon_core.linking.concept.analysis import Analysis, analyse, queries_of
from dragon_core.linking.concept.annotations import AnnotatedDocument, Annotation, annotated_names
from dragon_core.linking.concept.evidence import NEIGHBOURS, Evidence, Excluded, Feature
from dragon_core.linking.concept.lexicon import Lexicon
from dragon_core.linking.concept.names import Names
from dragon_core.linking.concept.words import running_sums, unshouted

Float64s = npt.NDArray[np.float64]

PENALTY = 1.0
BY_HAND = {
    Feature.STEMS: 10.0,
    Feature.FIRST_NAME: 2.0,
    Feature.WORDS: 6.0,
    Feature.COSINE: 5.0,
    Feature.BOTH_COVERED: 5.0,
    Feature.END: 5.0,
    Feature.START: 3.0,
    Feature.INSIDE: 3.0,
    Feature.NODE_NAMES: 0.3,
    Feature.IN_DOCUMENT: 0.5,
}


class Candidates(NamedTuple):
    """Candidate nodes of a mention, best first (C candidates).

    Attributes:
        nodes: [C] node ids.
        scores: [C] of the linear model.
        similarities: [C] to the mention, in [0, 1]: of the words, or of the nearest name.
    """

    nodes: list[int]
    scores: list[float]
    similarities: list[float]


@dataclass(frozen=True)
class Ranker:
    """Ranks candidates.

    Attributes:
        weights: [len(Feature)] of the features.
    """

    weights: Float64s

    @classmethod
    def by_hand(cls) -> Self:
        """Weights that prefer equal words to similar names."""
        return cls(np.array([BY_HAND.get(feature, 0.0) for feature in Feature]))

    @classmethod
    def trained(cls, examples: Sequence[tuple[Float64s, npt.NDArray[np.bool_]]]) -> Self:
        """Maximise the logarithm of the right candidates' probability, less half the squared weights.

        Args:
            examples: For each mention the features [C, len(Feature)] of its candidates, and [C] which are right.
        """
        useful = [(features, right) for features, right in examples if right.any() and not right.all()]
        if not useful:
            return cls.by_hand()
        features = np.concatenate([features for features, _ in useful])
        right = np.concatenate([right for _, right in useful])
        starts = np.cumsum([0, *(len(right) for _, right in useful[:-1])])
        groups = np.repeat(np.arange(len(useful)), np.diff([*starts, len(right)]))
        scale = features.std(axis=0) + 1e-6
        scaled = features / scale

        def loss(weights: Float64s) -> tuple[float, Float64s]:
            scores = scaled @ weights
            powers = np.exp(scores - np.maximum.reduceat(scores, starts)[groups])
            totals, of_right = np.add.reduceat(powers, starts), np.add.reduceat(powers * right, starts)
            slope = scaled.T @ (powers / totals[groups] - powers * right / of_right[groups])
            return np.log(totals / of_right).sum() + PENALTY / 2 * weights @ weights, slope + PENALTY * weights

        found = minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B").x
        return cls(found / scale)

    def ranked(self, candidates: dict[int, Float64s]) -> Candidates:
        """The candidates of a mention, best first."""
        scores = {node: float(features @ self.weights) for node, features in candidates.items()}
        order = sorted(scores, key=lambda node: (-scores[node], node))[:NEIGHBOURS]
        return Candidates(order, [scores[node] for node in order], [_similarity(candidates[node]) for node in order])

    def best(self, candidates: Candidates, in_document: Collection[int], limit: int) -> list[tuple[int, float]]:
        """The best `limit` candidates, best first, with their similarities.

        Args:
            candidates: Of a mention.
            in_document: Nodes that other words of its document name.
            limit: How many.

        Returns:
            (node, similarity); no similarity is larger than that of the candidate before.
        """
        weight = float(self.weights[Feature.IN_DOCUMENT])
        order = sorted(
            (-score - weight * (node in in_document), position)
            for position, (node, score) in enumerate(zip(candidates.nodes, candidates.scores, strict=True))
        )
        best, least = [], 1.0
        for _, position in order[:limit]:
            least = min(least, candidates.similarities[position])
            best.append((candidates.nodes[position], least))
        return best


def _similarity(features: Float64s) -> float:
    if features[Feature.STEMS] or features[Feature.WORDS]:
        return 1.0 if features[Feature.STEMS] else 0.95
    return float(min(max(features[[Feature.COSINE, Feature.END, Feature.START, Feature.INSIDE]]), 0.9))


def examples(
    documents: Sequence[AnnotatedDocument], names: Names, lexicon: Lexicon
) -> list[tuple[Float64s, npt.NDArray[np.bool_]]]:
    """Candidates of annotated mentions, as `Ranker.trained` takes them, each without its document's own annotations."""
    rows = {(names.texts[row], int(names.nodes[row])): row for row in np.flatnonzero(~names.from_graph).tolist()}
    found = []
    for document in documents:
        annotations = [annotation for annotation in document.annotations if annotation.nodes]
        analysis = analyse([document.text], lexicon, 1)
        spans = [analysis.tokens.span(0, annotation.start, annotation.end) for annotation in annotations]
        excluded = _own(document, analysis, spans, annotations, rows, lexicon)
        queries = queries_of(analysis, spans)
        named = [
            (node, query.expanded)
            for annotation, query in zip(annotations, queries, strict=True)
            for node in annotation.nodes
        ]
        candidates = Evidence(lexicon, queries, excluded).candidates
        for annotation, query, of_mention in zip(annotations, queries, candidates, strict=True):
            elsewhere = {node for node, words in named if words != query.expanded}
            for node, features in of_mention.items():
                features[Feature.IN_DOCUMENT] = node in elsewhere
            if of_mention:
                right = np.array([node in annotation.nodes for node in of_mention])
                found.append((np.array(list(of_mention.values())), right))
    return found


def _own(
    document: AnnotatedDocument,
    analysis: Analysis,
    spans: Sequence[tuple[int, int]],
    annotations: Sequence[Annotation],
    rows: Mapping[tuple[str, int], int],
    lexicon: Lexicon,
) -> Excluded:
    """What the document's annotations add to the counts."""
    pairs: Counter[tuple[int, int, int]] = Counter()
    for table, words in enumerate((analysis.stems, analysis.words)):
        sums = running_sums(words[analysis.tokens.ids])
        starts, ends = np.array(spans, np.int64).reshape(-1, 2).T
        hashes = sums[ends] - sums[starts]
        for annotation, row in zip(annotations, lexicon.tables[table].rows(hashes).tolist(), strict=True):
            pairs.update((table, row, node) for node in annotation.nodes)
    own = annotated_names([document])
    nodes: Counter[int] = Counter()
    for (_, node), count in own.items():
        nodes[node] += count
    return Excluded(pairs, {rows[unshouted(text), node]: count for (text, node), count in own.items()}, nodes)
