"""Candidate nodes of a mention and what speaks for each: equal words, near names, annotated documents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dragon_core.linking.concept.candidates import gram_counts
from dragon_core.linking.concept.lexicon import Lexicon
from dragon_core.linking.concept.matching import Matches
from dragon_core.linking.concept.words import Tokens, UInt64s, hashes_of, running_sums
from dragon_core.linking.mention import Float32s, Int32s

Float64s = npt.NDArray[np.float64]

NEIGHBOURS = 20
LONGEST_PART = 12


class Feature(IntEnum):
    """Features of a candidate node; a count is the logarithm of one and the number."""

    STEMS = 0  # a name of the node has the mention's stems
    STEMS_COUNT = auto()  # how often annotated documents mean the node by them
    STEMS_OF_GRAPH = auto()  # the name is of the graph
    FIRST_NAME = auto()  # the node's first name has the mention's stems
    WORDS = auto()  # a name of the node has the mention's words
    WORDS_COUNT = auto()
    AS_WRITTEN = auto()  # so it is without replacing abbreviations
    COSINE = auto()  # to the nearest of the node's names
    COSINE_IF_NEAR = auto()  # fourth power
    MENTION_COVERED = auto()  # share of the mention's words that are in the name, by weight
    NAME_COVERED = auto()  # share of the name's words that are in the mention
    BOTH_COVERED = auto()  # product
    END = auto()  # share of the mention that is a name of the node, where it ends the mention
    START = auto()
    INSIDE = auto()
    NODE_COUNT = auto()  # how often annotated documents mention the node
    NODE_ANNOTATED = auto()
    NODE_NAMES = auto()  # number of names
    IN_DOCUMENT = auto()  # other words of the document name the node; known only when all its mentions are


# The features of the nearest names.
NEAREST = slice(Feature.COSINE, Feature.BOTH_COVERED + 1)


class Query(NamedTuple):
    """A mention whose node is asked for.

    Attributes:
        written: Its tokens.
        expanded: The same with the text's abbreviations replaced by what they stand for.
    """

    written: tuple[str, ...]
    expanded: tuple[str, ...]


@dataclass(frozen=True)
class Excluded:
    """What a document's own annotations add to the counts, to be left out when its own mentions are learned from.

    Attributes:
        pairs: Mentions of each (table, row of the table, node).
        names: Mentions of each name, by its row.
        nodes: Mentions of each node.
    """

    pairs: Mapping[tuple[int, int, int], int] = field(default_factory=dict)
    names: Mapping[int, int] = field(default_factory=dict)
    nodes: Mapping[int, int] = field(default_factory=dict)


NOTHING = Excluded()


class Evidence:
    """Collects the candidates of some mentions.

    Args:
        lexicon: The names.
        queries: The mentions (Q).
        excluded: What not to count.

    Attributes:
        candidates: [Q] candidate nodes of each mention, each with its features [len(Feature)].
    """

    def __init__(self, lexicon: Lexicon, queries: Sequence[Query], excluded: Excluded = NOTHING) -> None:
        self.candidates: list[dict[int, Float64s]] = [{} for _ in queries]
        self._lexicon = lexicon
        self._excluded = excluded
        written = Tokens.of([" ".join(query.written) for query in queries])
        self._add_equal(written, [hashes_of(words)[written.ids] for words in lexicon.words(written.words)], True)
        tokens = Tokens.of([" ".join(query.expanded) for query in queries])
        forms = lexicon.words(tokens.words)
        hashes = [hashes_of(words)[tokens.ids] for words in forms]
        self._add_equal(tokens, hashes, False)
        rows = lexicon.word_rows(hashes[1])
        weights = np.where(hashes[1] == 0, 0, lexicon.word_weights[rows])
        # The search costs most; a mention that is a name needs none.
        counts, unnamed = (
            gram_counts(tokens, forms[1]),
            [query for query, same in enumerate(self.candidates) if not same],
        )
        self._add_parts(tokens, hashes, weights)
        for query, names, cosines in zip(unnamed, *lexicon.nearest.nearest(counts[unnamed], NEIGHBOURS), strict=True):
            words = slice(tokens.offsets[query], tokens.offsets[query + 1])
            of_words = dict(zip(rows[words].tolist(), weights[words].tolist(), strict=True))
            self._add_nearest(query, of_words, names, cosines)
        for candidates in self.candidates:
            for node, features in candidates.items():
                count = max(float(lexicon.node_counts[node]) - excluded.nodes.get(node, 0), 0)
                features[Feature.NODE_COUNT] = np.log1p(count)
                features[Feature.NODE_ANNOTATED] = count > 0
                features[Feature.NODE_NAMES] = np.log1p(lexicon.node_names[node])

    def _features(self, query: int, node: int) -> Float64s:
        return self.candidates[query].setdefault(node, np.zeros(len(Feature)))

    def _nodes(self, table: int, row: int) -> Iterator[tuple[int, float, int]]:
        """(node, count, row of the pair) of a hash, without those known from excluded mentions alone."""
        names = self._lexicon.tables[table]
        for pair in range(names.offsets[row], names.offsets[row + 1]):
            node = int(names.nodes[pair])
            count = float(names.counts[pair]) - self._excluded.pairs.get((table, row, node), 0)
            if names.from_graph[pair] or count > 0:
                yield node, max(count, 0), pair

    def _add_equal(self, tokens: Tokens, hashes: Sequence[UInt64s], as_written: bool) -> None:
        """Nodes that have the whole mention as a name."""
        for table, of_tokens in enumerate(hashes):
            sums = running_sums(of_tokens)
            rows = self._lexicon.tables[table].rows(sums[tokens.offsets[1:]] - sums[tokens.offsets[:-1]])
            for query in np.flatnonzero(rows >= 0).tolist():
                for node, count, pair in self._nodes(table, int(rows[query])):
                    features = self._features(query, node)
                    same, number = (
                        (Feature.WORDS, Feature.WORDS_COUNT) if table else (Feature.STEMS, Feature.STEMS_COUNT)
                    )
                    features[same] = 1
                    features[number] = max(features[number], np.log1p(count))
                    if table == 0:
                        names = self._lexicon.tables[table]
                        features[Feature.STEMS_OF_GRAPH] = max(features[Feature.STEMS_OF_GRAPH], names.from_graph[pair])
                        features[Feature.FIRST_NAME] = max(features[Feature.FIRST_NAME], names.preferred[pair])
                        features[Feature.AS_WRITTEN] = max(features[Feature.AS_WRITTEN], as_written)

    def _add_parts(self, tokens: Tokens, hashes: Sequence[UInt64s], of_words: Float32s) -> None:
        """The likeliest node of each part of a mention that is a name."""
        matches = Matches.of(tokens, hashes, self._lexicon.tables, LONGEST_PART)
        columns = (matches.starts, matches.ends, matches.tables, matches.rows, tokens.texts[matches.starts])
        for start, end, table, row, query in zip(*(column.tolist() for column in columns), strict=True):
            first, last = tokens.offsets[query], tokens.offsets[query + 1]
            best = next(self._nodes(table, row), None)
            if best is not None and (start, end) != (first, last):
                # Sums of this mention alone: running sums over all would round by what stands before.
                share = float(of_words[start:end].sum()) / max(float(of_words[first:last].sum()), 1e-6)
                place = Feature.END if end == last else Feature.START if start == first else Feature.INSIDE
                features = self._features(query, best[0])
                features[place] = max(features[place], share)

    def _add_nearest(self, query: int, words: Mapping[int, float], names: Int32s, cosines: Float32s) -> None:
        """Nodes of the nearest names of a mention, given its words and their weights."""
        lexicon = self._lexicon
        total = max(sum(words.values()), 1e-6)
        for name, cosine in zip(names.tolist(), cosines.tolist(), strict=True):
            count = lexicon.name_counts[name]
            if name < 0 or (count and count <= self._excluded.names.get(name, 0)):
                continue
            of_name = lexicon.name_words[lexicon.name_offsets[name] : lexicon.name_offsets[name + 1]]
            common = sum(words.get(word, 0) for word in {*of_name.tolist()})
            in_mention = common / total
            in_name = min(common / max(float(lexicon.word_weights[of_name].sum()), 1e-6), 1)
            features = self._features(query, int(lexicon.name_nodes[name]))
            evidence = features[NEAREST]
            np.maximum(evidence, (cosine, cosine**4, in_mention, in_name, in_mention * in_name), out=evidence)
