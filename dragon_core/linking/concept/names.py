"""The names of nodes, and which of them have the same words whatever their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from dragon_core.linking.concept.words import Tokens, UInt64s, hashes_of, running_sums, stem, unshouted
from dragon_core.linking.mention import Float32s, Int32s, Int64s

Bools = npt.NDArray[np.bool_]

SHORTEST = 2
# Words in the names of so many nodes are common; in so large a share of the nodes, and of so many, general.
COMMON_NODES = 20
GENERAL_NODES = 50
GENERAL_SHARE = 0.05


@dataclass(frozen=True)
class Names:
    """Names of nodes (M names): first those of the graph, then those of annotated documents.

    Attributes:
        texts: [M] as written.
        nodes: [M] node of each name.
        counts: [M] how often annotated documents use the name for the node; 0 for names of the graph.
        preferred: [M] whether it is the node's first name.
        tokens: Of the names.
        stems: Stem of each different word of `tokens`.
    """

    texts: list[str]
    nodes: Int32s
    counts: Float32s
    preferred: Bools
    tokens: Tokens
    stems: list[str]

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        aliases: Sequence[Sequence[str] | None],
        annotated: Mapping[tuple[str, int], int],
    ) -> Self:
        """Name and aliases of each node, and the numbers of the mentions (text, node) of annotated documents."""
        rows = [(unshouted(name), node, True) for node, name in enumerate(names)]
        rows += [(unshouted(alias), node, False) for node, some in enumerate(aliases) for alias in some or ()]
        rows += [(unshouted(text), node, False) for text, node in annotated]
        texts = [text for text, _, _ in rows]
        counts = np.zeros(len(rows), np.float32)
        counts[len(rows) - len(annotated) :] = list(annotated.values())
        tokens = Tokens.of(texts)
        nodes, preferred = np.array([row[1] for row in rows], np.int32), np.array([row[2] for row in rows], bool)
        return cls(texts, nodes, counts, preferred, tokens, [stem(word) for word in tokens.words])

    @property
    def from_graph(self) -> Bools:
        """[M] whether the name is of the graph."""
        return self.counts == 0

    def hashes(self, forms: Sequence[str]) -> UInt64s:
        """[M] hash of each name, 0 for one without words.

        Args:
            forms: The form of each different word of `tokens`, such as its stem.
        """
        sums = running_sums(hashes_of(forms)[self.tokens.ids])
        return sums[self.tokens.offsets[1:]] - sums[self.tokens.offsets[:-1]]


def too_general(names: Names, word_rows: Int64s, word_nodes: Int32s, num_nodes: int) -> Bools:
    """[M] whether a name says too little to be a mention by itself: some names of one word.

    These are numbers and single letters; words in the names of many nodes, such as `disease`; aliases that leave all
    but such a word of the first name away, as `deletion` for `chromosome deletion`; and aliases that are codes, such as
    `WT1`, which mostly mean something else.

    Args:
        names: The names (M names, K tokens).
        word_rows: [K] word of each token, -1 for none.
        word_nodes: [V] how many nodes have each word in a name.
        num_nodes: Number of all nodes.
    """
    is_word = word_rows >= 0
    words = np.bincount(names.tokens.texts[is_word], minlength=len(names.texts))
    single = np.flatnonzero(words == 1)
    tokens = np.flatnonzero(is_word)[np.searchsorted(names.tokens.texts[is_word], single)]
    written = names.tokens.words
    is_code = np.array([any(map(str.isdigit, word)) and not word.isdigit() for word in written], bool)
    is_short = np.array([word.isdigit() or len(word) < SHORTEST for word in written], bool)
    ids, nodes = names.tokens.ids[tokens], word_nodes[word_rows[tokens]]
    words_of_node = np.zeros(num_nodes, np.int64)
    words_of_node[names.nodes[names.preferred]] = words[names.preferred]
    shortened = (nodes >= COMMON_NODES) & (words_of_node[names.nodes[single]] > 1)
    is_alias = ~names.preferred[single] & names.from_graph[single]
    result = np.zeros(len(names.texts), bool)
    result[single] = (
        is_short[ids]
        | (nodes > max(GENERAL_SHARE * num_nodes, GENERAL_NODES))
        | (is_alias & (shortened | is_code[ids]))
    )
    return result


@dataclass(frozen=True)
class HashedNames:
    """Which nodes have a name of a hash (H hashes, P pairs of hash and node), the likeliest node first.

    That is the one which annotated documents mean most often, then one whose first name it is, then the one with most
    names of that hash.

    Attributes:
        hashes: [H] sorted.
        offsets: [H + 1] pairs of each hash.
        nodes: [P] node ids.
        counts: [P] how often annotated documents use a name of the hash for the node.
        from_graph: [P] whether the node has a name of the hash in the graph.
        preferred: [P] whether the node's first name has the hash.
        general: [H] whether all names of the hash say too little to be mentions by themselves.
    """

    hashes: UInt64s
    offsets: Int32s
    nodes: Int32s
    counts: Float32s
    from_graph: Bools
    preferred: Bools
    general: Bools

    @classmethod
    def of(cls, hashes: UInt64s, names: Names, general: Bools) -> Self:
        """From the hash of each name, and whether it is too general; names with the hash zero are left out."""
        kept = np.flatnonzero(hashes)
        order = kept[np.lexsort((names.nodes[kept], hashes[kept]))]
        hashes, nodes = hashes[order], names.nodes[order]
        first = np.ones(len(order), bool)
        first[1:] = (hashes[1:] != hashes[:-1]) | (nodes[1:] != nodes[:-1])
        starts = np.flatnonzero(first)
        group = np.cumsum(first) - 1
        counts = np.bincount(group, names.counts[order], len(starts))
        preferred = np.bincount(group, names.preferred[order], len(starts)) > 0
        from_graph = np.bincount(group, names.from_graph[order], len(starts))
        special = hashes[~general[order]]
        hashes, nodes = hashes[starts], nodes[starts]
        order = np.lexsort((nodes, -from_graph, ~preferred, -counts, hashes))
        unique, offsets = np.unique(hashes, return_index=True)
        return cls(
            unique,
            np.append(offsets, len(order)).astype(np.int32),
            nodes[order],
            counts[order].astype(np.float32),
            from_graph[order] > 0,
            preferred[order],
            ~np.isin(unique, special),
        )

    def rows(self, hashes: UInt64s) -> Int32s:
        """Position of each hash among `hashes`, -1 where no name has it."""
        if not len(self.hashes):
            return np.full(len(hashes), -1, np.int32)
        rows = np.searchsorted(self.hashes, hashes).clip(max=len(self.hashes) - 1)
        return np.where(self.hashes[rows] == hashes, rows, -1).astype(np.int32)

    def totals(self) -> Float32s:
        """[H] how often annotated documents use names of each hash, infinite for names of the graph."""
        weights = np.where(self.from_graph, np.float32(np.inf), self.counts)
        return np.add.reduceat(weights, self.offsets[:-1]) if len(self.hashes) else weights
