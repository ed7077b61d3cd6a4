"""What the names of a lexicon say of a batch of texts: tokens, abbreviations, and spans that are names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dragon_core.linking.concept.evidence import Query
from dragon_core.linking.concept.lexicon import Lexicon
from dragon_core.linking.concept.matching import Definition, Matches, definitions, expanded
from dragon_core.linking.concept.words import Tokens, UInt64s, hashes_of

# No name goes across one of these.
BARRIERS = frozenset(".;:?!")


@dataclass(frozen=True)
class Analysis:
    """A batch of texts (K tokens, W different words).

    Attributes:
        tokens: Of the texts.
        stems: [W] hash of each word's stem.
        words: [W] hash of the word that each stem is like.
        abbreviations: Defined in the texts.
        hashes: For each table of the lexicon, [K] hashes of the tokens, abbreviations replaced.
        matches: All spans that are names.
    """

    tokens: Tokens
    stems: UInt64s
    words: UInt64s
    abbreviations: list[Definition]
    hashes: list[UInt64s]
    matches: Matches

    @property
    def spans(self) -> set[tuple[int, int]]:
        """(first token, token after the last) of the matches."""
        return set(zip(self.matches.starts.tolist(), self.matches.ends.tolist(), strict=True))


def analyse(texts: Sequence[str], lexicon: Lexicon, longest: int) -> Analysis:
    """Look up every span of at most `longest` tokens."""
    tokens = Tokens.of(texts)
    stems, words = map(hashes_of, lexicon.words(tokens.words))
    abbreviations = definitions(texts, tokens)
    hashes = [expanded(form[tokens.ids], abbreviations) for form in (stems, words)]
    matches = Matches.of(tokens, hashes, lexicon.tables, longest)
    return Analysis(tokens, stems, words, abbreviations, hashes, matches[_is_whole(matches, tokens)])


def _is_whole(matches: Matches, tokens: Tokens) -> npt.NDArray[np.bool_]:
    """[S] whether a span goes across no end of a clause, and has both or none of two brackets."""
    numbers = np.array([[word in BARRIERS, (word == "(") - (word == ")")] for word in tokens.words], np.int64)
    sums = np.vstack([np.zeros((1, 2), np.int64), np.cumsum(numbers.reshape(-1, 2)[tokens.ids], axis=0)])
    equal: npt.NDArray[np.bool_] = (sums[matches.ends] == sums[matches.starts]).all(axis=1)
    return equal


def queries_of(analysis: Analysis, spans: Sequence[tuple[int, int]]) -> list[Query]:
    """The words of each span, as written and with the text's abbreviations replaced."""
    tokens = analysis.tokens
    long_forms = {
        first: (last, (start, end)) for start, end, places in analysis.abbreviations for first, last in places
    }

    def words(start: int, end: int) -> tuple[str, ...]:
        return tuple(tokens.words[word] for word in tokens.ids[start:end].tolist())

    def replaced(start: int, end: int) -> Iterator[str]:
        position = start
        while position < end:
            last, long_form = long_forms.get(position, (position, (0, 0)))
            if position < last <= end:
                # A short form that the span defines itself adds nothing.
                if not start <= long_form[0] < position:
                    yield from words(*long_form)
                position = last
            else:
                yield from words(position, position + 1)
                position += 1

    return [Query(words(*span), tuple(replaced(*span))) for span in spans]
