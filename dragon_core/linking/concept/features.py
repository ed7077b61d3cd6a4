"""Features of tokens for the detection of mentions, as columns of one hashed table.

Weinberger, Dasgupta, Langford, Smola and Attenberg, Feature hashing for large scale multitask learning, ICML 2009.
"""

import re
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

from dragon_core.linking.concept.analysis import Analysis
from dragon_core.linking.concept.lexicon import Lexicon
from dragon_core.linking.concept.matching import Matches
from dragon_core.linking.concept.words import UInt64s, mixed, word_hash
from dragon_core.linking.mention import Int32s, Int64s

Float64s = npt.NDArray[np.float64]

SIZE = 1 << 19
# The columns of `written_features`, then the stem, the word it is like, and how names have it.
LOWER, SHAPE, PREFIX3, PREFIX4, PREFIX5, SUFFIX2, SUFFIX3, SUFFIX4, SUFFIX5, STEM, WORD, IN_NAMES = range(12)
NEIGHBOURS = {
    -3: (STEM,),
    -2: (STEM, IN_NAMES, SUFFIX3),
    -1: (LOWER, STEM, WORD, SHAPE, SUFFIX3, SUFFIX4, IN_NAMES),
    1: (LOWER, STEM, WORD, SHAPE, SUFFIX3, SUFFIX4, IN_NAMES),
    2: (STEM, IN_NAMES, SUFFIX3),
    3: (STEM,),
}
PAIRED = (STEM, IN_NAMES, SHAPE, SUFFIX3)
REPEATED = re.compile(r"(.)\1+")
# Upper bounds of the classes of a name's share of annotated places.
SHARES = (0.0, 0.3, 0.7, 0.95)


@lru_cache(maxsize=1 << 18)
def written_features(word: str) -> tuple[int, ...]:
    """Hashes of a token in small letters, of its shape such as `Aa0`, its prefixes and its suffixes."""
    lower = word.lower()
    shape = "".join("A" if c.isupper() else "a" if c.islower() else "0" if c.isdigit() else c for c in word)
    parts = (lower[:3], lower[:4], lower[:5], lower[-2:], lower[-3:], lower[-4:], lower[-5:])
    return tuple(map(word_hash, (lower, REPEATED.sub(r"\1\1", shape), *parts)))


def token_features(
    analysis: Analysis, lexicon: Lexicon, matches: Matches, seen: Float64s, annotated: Float64s
) -> Int32s:
    """[K, J] columns, below SIZE, of the features of each token.

    Args:
        analysis: Of the texts (K tokens).
        lexicon: The names.
        matches: The longest names in the texts (S spans).
        seen: [S] how often each of these names is found in annotated documents.
        annotated: [S] how often it is annotated there.
    """
    shifted = partial(_shifted, texts=analysis.tokens.texts)
    words = _word_features(analysis, lexicon)[:, analysis.tokens.ids]
    columns = [*words]
    columns += [shifted(words[feature], offset) for offset, features in NEIGHBOURS.items() for feature in features]
    for values in words[list(PAIRED)]:
        columns += [_pair(shifted(values, -1), values), _pair(values, shifted(values, 1))]
    stem, flags = words[STEM], words[IN_NAMES]
    columns += [
        _pair(shifted(stem, -1), shifted(stem, 1)),
        _pair(_pair(shifted(flags, -1), flags), shifted(flags, 1)),
    ]
    name, share = _match_features(matches, seen, annotated, len(stem))
    short, long = _abbreviation_features(analysis, len(stem))
    columns += [shifted(values, offset) for values in (name, share, short, long) for offset in (-1, 0, 1)]
    columns += [_pair(name, other) for other in (share, shifted(name, 1), shifted(stem, 1), shifted(stem, -1), stem)]
    columns += [
        _pair(shifted(name, -1), name),
        _pair(share, stem),
        _pair(short, shifted(stem, 1)),
        _pair(short, name),
    ]
    salts = np.arange(len(columns), dtype=np.uint64)[:, None] << np.uint64(32)
    return (mixed(np.stack(columns) ^ mixed(salts)) % np.uint64(SIZE)).astype(np.int32).T


def _word_features(analysis: Analysis, lexicon: Lexicon) -> npt.NDArray[np.uint64]:
    """[12, W] features of each different word."""
    written = np.array([written_features(word) for word in analysis.tokens.words], np.uint64).reshape(-1, STEM)
    rows = lexicon.word_rows(analysis.words)
    nodes, heads = np.append(lexicon.word_nodes, 0)[rows], np.append(lexicon.word_heads, 0)[rows]
    frequency = np.log2(nodes + 1).astype(np.uint64).clip(max=8)
    in_names = frequency * 8 + (4 * heads / np.maximum(nodes, 1)).clip(max=7).astype(np.uint64)
    return np.vstack([written.T, analysis.stems, analysis.words, in_names])


def _match_features(matches: Matches, seen: Float64s, annotated: Float64s, size: int) -> tuple[UInt64s, UInt64s]:
    """For each token in a name: its place, the name's table and length; its place and how often it is annotated."""
    name, share = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
    classes = np.where(seen > 0, 1 + np.searchsorted(SHARES, annotated / np.maximum(seen, 1)), 0) * 3
    classes += np.minimum(seen, 8).astype(int) // 3
    columns = (matches.starts, matches.ends, matches.tables, classes)
    for start, end, table, annotation in zip(*(column.tolist() for column in columns), strict=True):
        places = _places(end - start)
        name[start:end] = 1 + places + 4 * table + 8 * min(end - start, 3)
        share[start:end] = 1 + places + 4 * annotation
    return name, share


def _abbreviation_features(analysis: Analysis, size: int) -> tuple[UInt64s, UInt64s]:
    """For each token of a short form its place and if the long form is, or ends with, a name; so of a long form."""
    short, long = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
    spans = analysis.spans
    ends = {end for _, end in spans}
    for start, end, occurrences in analysis.abbreviations:
        kind = 2 if (start, end) in spans else 1 if end in ends else 0
        long[start:end] = 1 + _places(end - start) + 4 * kind
        for first, last in occurrences:
            short[first:last] = 1 + _places(last - first) + 4 * kind
    return short, long


def _places(length: int) -> UInt64s:
    """First, inner and last place in a span, 0, 1 and 2; 3 in a span of one token."""
    places = np.ones(length, np.uint64)
    places[0], places[-1] = 0, 2
    return places if length > 1 else np.full(1, 3, np.uint64)


def _shifted(values: UInt64s, offset: int, texts: Int64s) -> UInt64s:
    """The value `offset` tokens on in the same text, and a number of its own beyond the text's ends."""
    places = np.arange(len(values)) + offset
    inside = (places >= 0) & (places < len(values))
    places = places.clip(0, max(len(values) - 1, 0))
    inside &= texts[places] == texts
    return np.where(inside, values[places], np.uint64(0xFFFFFFFF))


def _pair(first: UInt64s, second: UInt64s) -> UInt64s:
    return mixed(mixed(first) + second)
