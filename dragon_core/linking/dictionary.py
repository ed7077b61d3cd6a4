"""The dictionary linker: n-grams of tokens, as written and lemmatised, looked up among the names of the graph's nodes.

spaCy's rules split the texts into tokens; simplemma gives lemmas without a tagger, so that `stray dogs` finds `stray
dog`. A name is found at an inflection of its last token, which is where English phrases inflect, or of all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Literal

import simplemma
import spacy
from pydantic import Field
from spacy.lang.en.stop_words import STOP_WORDS

from dragon_core.artifacts import Parameters
from dragon_core.linking.mention import Mention

EXACT_SCORE = 1.0
LEMMA_SCORE = 0.9


class LinkingParams(Parameters):
    """How text is linked to nodes."""

    overlap: Literal["longest", "all"] = Field(
        "longest", description="Of mentions that overlap, keep the longest (the first of equal ones), or keep all."
    )
    max_tokens: int = Field(5, ge=1, le=20, description="Tokens a mention has at most.")
    stop_words: bool = Field(True, description="Leave out mentions that are a stop word, one character or a number.")


class DictionaryLinker:
    """Links spans whose words, as written or lemmatised, are the name of a node.

    Args:
        names: Name of each node; of equal names the first node is linked.
        params: What is linked.
    """

    def __init__(self, names: Sequence[str], params: LinkingParams) -> None:
        self.params = params
        self._tokenizer = spacy.blank("en").tokenizer
        self._nodes: dict[str, int] = {}
        for node, name in enumerate(names):
            self._nodes.setdefault(" ".join(token.lower() for token in self._words(name)), node)
        # First words of names, so that most positions of a text are passed over at once.
        self._longest: dict[str, int] = {}
        for name in self._nodes:
            first, length = name.split(" ", 1)[0], name.count(" ") + 1
            self._longest[first] = max(length, self._longest.get(first, 0))

    def link(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Mentions of each text, sorted by (start, end, node)."""
        return [self._link(text) for text in texts]

    def _words(self, text: str) -> list[str]:
        return [token.text for token in self._tokenizer(text) if not token.is_space]

    def _link(self, text: str) -> list[Mention]:
        tokens = [token for token in self._tokenizer(text) if not token.is_space]
        words = [token.text.lower() for token in tokens]
        lemmas = [lemma_of(word) for word in words]
        starts = [token.idx for token in tokens]
        ends = [token.idx + len(token.text) for token in tokens]
        found = [
            (first, last, Mention(starts[first], ends[last - 1], node, score))
            for first in range(len(words))
            for last, node, score in self._matches(words, lemmas, first)
        ]
        if self.params.overlap == "longest":
            found = list(without_overlaps(found))
        return sorted((mention for _, _, mention in found), key=lambda m: (m.start, m.end, m.node))

    def _matches(self, words: list[str], lemmas: list[str], first: int) -> Iterator[tuple[int, int, float]]:
        """(end, node, score) of the names that begin at a token; an exact match hides a lemmatised one of its span."""
        longest = max(self._longest.get(words[first], 0), self._longest.get(lemmas[first], 0))
        for last in range(first + 1, min(first + min(longest, self.params.max_tokens), len(words)) + 1):
            if last == first + 1 and self.params.stop_words and is_stop_word(words[first]):
                continue
            for score, form in (
                (EXACT_SCORE, words[first:last]),
                (LEMMA_SCORE, [*words[first : last - 1], lemmas[last - 1]]),
                (LEMMA_SCORE, lemmas[first:last]),
            ):
                node = self._nodes.get(" ".join(form))
                if node is not None:
                    yield last, node, score
                    break


def without_overlaps(found: Iterable[tuple[int, int, Mention]]) -> Iterator[tuple[int, int, Mention]]:
    """Of (first token, end token, mention), the longest first and each only where no longer one stands."""
    taken: set[int] = set()
    for first, last, mention in sorted(found, key=lambda item: (item[0] - item[1], item[0])):
        if taken.isdisjoint(range(first, last)):
            taken.update(range(first, last))
            yield first, last, mention


def is_stop_word(word: str) -> bool:
    """Whether a lower-case word on its own says too little to be linked."""
    return word in STOP_WORDS or len(word) < 2 or word.isnumeric()


@cache
def lemma_of(word: str) -> str:
    """Lemma of a lower-case English word, without regard to its part of speech."""
    return simplemma.lemmatize(word, lang="en").lower()
