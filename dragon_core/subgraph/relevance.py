"""How relevant the candidates are to their texts: what is kept when not all can be.

All are deterministic, and give scores in [0, 1]. `lm` is the published scoring (Yasunaga et al., NAACL 2021), which
reads a text once a candidate; `similarity` needs one reading of the text, done ahead, and no other.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from dragon_core.graph import Adjacency
from dragon_core.subgraph.candidates import Candidates, Float32s, Int64s
from dragon_core.subgraph.errors import SubgraphError

if TYPE_CHECKING:
    from dragon_core.embedding.likelihood import LikelihoodScorer

Array = npt.NDArray[Any]

# Of personalised PageRank: the chance to start anew, and the residual an edge may keep.
RESTART = 0.15
TOLERANCE = 1e-4


class Relevance(Protocol):
    """Scores candidates.

    Attributes:
        reads_texts: Whether it reads the texts; then it scores the linked nodes, too.
    """

    reads_texts: bool

    def __call__(self, found: Candidates, texts: Sequence[str], vectors: Float32s | None) -> Float32s:
        """Scores [C] in [0, 1] of the candidates of S texts, which have vectors [S, d] if the relevance needs them."""


class DegreeRelevance:
    """The share of the linked nodes that a candidate touches; of equal ones, that of lower degree."""

    reads_texts = False

    def __call__(self, found: Candidates, texts: Sequence[str], vectors: Float32s | None) -> Float32s:
        """Score the candidates."""
        linked = np.repeat(np.diff(found.linked_offsets), np.diff(found.offsets))
        return (found.touched / np.maximum(linked, 1)).astype(np.float32)


class RandomRelevance:
    """A number that the seed, the text's linked nodes and the candidate decide."""

    reads_texts = False

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, found: Candidates, texts: Sequence[str], vectors: Float32s | None) -> Float32s:
        """Score the candidates."""
        return _random_scores(found.linked_offsets, found.linked, found.offsets, found.nodes, np.uint64(self._seed))


class PageRankRelevance:
    """Approximate personalised PageRank from the linked nodes, by pushing (Andersen, Chung & Lang, FOCS 2006).

    The walk starts anew with probability 0.15, else takes any edge of the node, in either direction. What is found of a
    node is at most 1e-4 times its degree too low; the time does not depend on the graph's size.
    """

    reads_texts = False

    def __init__(self, adjacency: Adjacency) -> None:
        self._adjacency = adjacency
        self._rank = np.zeros(len(adjacency.offsets) - 1)
        self._residual = np.zeros(len(adjacency.offsets) - 1)

    def __call__(self, found: Candidates, texts: Sequence[str], vectors: Float32s | None) -> Float32s:
        """Score the candidates."""
        graph = self._adjacency
        return _page_ranks(
            graph.offsets,
            graph.neighbours,
            found.linked_offsets,
            found.linked,
            found.offsets,
            found.nodes,
            self._rank,
            self._residual,
        )


class SimilarityRelevance:
    """Cosine of the vectors of text and node; 0 if it is negative."""

    reads_texts = True

    def __init__(self, node_vectors: Float32s) -> None:
        self._node_vectors = node_vectors

    def __call__(self, found: Candidates, texts: Sequence[str], vectors: Float32s | None) -> Float32s:
        """Score the candidates.

        Raises:
            SubgraphError: The vectors of texts and nodes are of two lengths.
        """
        assert vectors is not None
        if vectors.shape[1] != self._node_vectors.shape[1]:
            raise SubgraphError(
                f"Texts have vectors of {vectors.shape[1]} numbers, nodes of {self._node_vectors.shape[1]}: they are of"
                " two encoders; make both with the same."
            )
        return _cosines(found.offsets, found.nodes, self._node_vectors, vectors)


class LanguageModelRelevance:
    """What the masked language model makes of the text followed by the candidate's name: exp(-loss)."""

    reads_texts = True

    def __init__(self, scorer: "LikelihoodScorer", names: Sequence[str]) -> None:
        self._scorer = scorer
        self._names = names

    def __call__(self, found: Candidates, texts: Sequence[str], vectors: Float32s | None) -> Float32s:
        """Score the candidates."""
        of_text = np.repeat(np.arange(len(texts)), np.diff(found.offsets)).tolist()
        # The form of QA-GNN's: the text in lower case, then the name and a full stop.
        sentences = [
            f"{texts[text].lower()} {self._names[node]}."
            for text, node in zip(of_text, found.nodes.tolist(), strict=True)
        ]
        return self._scorer.likelihoods(sentences)


@njit(cache=True, nogil=True)
def _cosines(offsets: Int64s, nodes: Array, node_vectors: Array, text_vectors: Array) -> Array:
    scores = np.empty(len(nodes), np.float32)
    for text in range(len(offsets) - 1):
        of_text = text_vectors[text]
        text_norm = np.float32(0)
        for value in of_text:
            text_norm += value * value
        for at in range(offsets[text], offsets[text + 1]):
            product, node_norm = _product_and_norm(of_text, node_vectors[nodes[at]])
            norm = np.sqrt(text_norm * node_norm)
            scores[at] = min(max(product / norm, np.float32(0)), np.float32(1)) if norm > 0 else np.float32(0)
    return scores


# Sums may be taken in the order that is fastest.
@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _product_and_norm(text: Array, node: Array) -> tuple[np.float32, np.float32]:
    product, norm = np.float32(0), np.float32(0)
    for i in range(len(text)):
        product += text[i] * node[i]
        norm += node[i] * node[i]
    return product, norm


@njit(cache=True, nogil=True)
def _mixed(value: np.uint64) -> np.uint64:
    """Scatter the bits of a number (SplitMix64's finaliser: Steele, Lea & Flood, OOPSLA 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def _random_scores(linked_offsets: Array, linked: Array, offsets: Array, nodes: Array, seed: np.uint64) -> Array:
    scores = np.empty(len(nodes), np.float32)
    for text in range(len(offsets) - 1):
        of_text = _mixed(seed + np.uint64(0x9E3779B97F4A7C15))
        for at in range(linked_offsets[text], linked_offsets[text + 1]):
            of_text = _mixed(of_text + np.uint64(linked[at]))
        for at in range(offsets[text], offsets[text + 1]):
            # 24 bits are what a float32 holds.
            scores[at] = (_mixed(of_text + np.uint64(nodes[at])) >> np.uint64(40)) / np.float32(1 << 24)
    return scores


@njit(cache=True, nogil=True)
def _page_ranks(
    row_offsets: Array,
    neighbours: Array,
    linked_offsets: Array,
    linked: Array,
    offsets: Array,
    nodes: Array,
    rank: Array,
    residual: Array,
) -> Array:
    """Push until no node's residual is above `TOLERANCE` an edge; `rank` and `residual` are scratch, left at 0."""
    scores = np.empty(len(nodes), np.float32)
    for text in range(len(offsets) - 1):
        seeds = linked[linked_offsets[text] : linked_offsets[text + 1]]
        reached = list(seeds)
        waiting = list(seeds)
        for seed in seeds:
            residual[seed] = 1 / len(seeds)
        is_first_round = True
        while len(waiting) > 0:
            pushed = waiting
            waiting = [np.int32(0) for _ in range(0)]
            for node in pushed:
                first, last = row_offsets[node], row_offsets[node + 1]
                mass = residual[node]
                # Linked nodes are pushed whatever their degree, lest hubs give nothing to anybody.
                if mass == 0 or (mass <= TOLERANCE * (last - first) and not is_first_round):
                    continue
                residual[node] = 0
                if first == last:
                    # Nowhere to go: the walk starts anew until it ends here.
                    rank[node] += mass
                    continue
                rank[node] += RESTART * mass
                share = (1 - RESTART) * mass / (last - first)
                for entry in range(first, last):
                    neighbour = neighbours[entry]
                    before = residual[neighbour]
                    if before == 0 and rank[neighbour] == 0:
                        reached.append(neighbour)
                    residual[neighbour] = before + share
                    limit = TOLERANCE * (row_offsets[neighbour + 1] - row_offsets[neighbour])
                    if before <= limit < before + share:
                        waiting.append(neighbour)
            is_first_round = False
        for at in range(offsets[text], offsets[text + 1]):
            # What has come to a node and was not pushed on is worth at least one restart there.
            scores[at] = rank[nodes[at]] + RESTART * residual[nodes[at]]
        for node in reached:
            rank[node] = 0
            residual[node] = 0
    return scores
