"""What is kept from pretraining, so that evaluation can ask about it.

A document is held out by a hash of the seed and its normalised definition (or, where there is none, its text): the
choice does not depend on the other documents, and equal definitions are on the same side. A definition that is held out
must not be read elsewhere either, in another entry or in an example: sentences that repeat one are dropped.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b

from dragon_core.corpus.segmentation import Segment

# A shorter definition ("in the area") is no question, and turns up in many texts that do not define the same.
MIN_WORDS = 4

_WORD = re.compile(r"[^\W_]+")


def normalised_words(text: str) -> list[str]:
    """Words in lower case, without punctuation."""
    return _WORD.findall(text.lower())


class Holdout:
    """Decides which documents are held out, and removes held-out definitions from segments.

    Args:
        definitions: The definitions of all documents that have one.
        share: Share to hold out, in [0, 1].
        seed: Another seed holds out others.
    """

    def __init__(self, definitions: Iterable[str], share: float, seed: int) -> None:
        self._threshold = int(share * 2**64)
        self._seed = seed
        self._by_beginning: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
        for definition in definitions:
            if self.holds(definition):
                words = tuple(normalised_words(definition))
                self._by_beginning[words[:MIN_WORDS]].add(words)

    def holds(self, text: str) -> bool:
        """Whether a definition (or a text that stands for its document) is held out."""
        words = normalised_words(text)
        if len(words) < MIN_WORDS:
            return False
        digest = blake2b(f"{self._seed} {' '.join(words)}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self._threshold

    def clean(self, segment: Segment) -> Segment:
        """The segment without the sentences in which a held-out definition ends.

        The words of the whole segment are searched, so a definition that runs over the end of a sentence is found too.
        Cost: one look-up a word.
        """
        repeating = self._repeating_sentences(segment)
        while repeating:
            kept = [sentence for i, sentence in enumerate(segment.sentences) if i not in repeating]
            segment = Segment(segment.source, kept)
            # Sentences that were apart are neighbours now.
            repeating = self._repeating_sentences(segment)
        return segment

    def _repeating_sentences(self, segment: Segment) -> set[int]:
        if not self._by_beginning:
            return set()
        words: list[str] = []
        sentence_of_word: list[int] = []
        for number, (_, sentence) in enumerate(segment.sentences):
            own = normalised_words(sentence)
            words += own
            sentence_of_word += [number] * len(own)
        repeating = set()
        for start in range(len(words) - MIN_WORDS + 1):
            for definition in self._by_beginning.get(tuple(words[start : start + MIN_WORDS]), ()):
                end = start + len(definition)
                if tuple(words[start:end]) == definition:
                    repeating.add(sentence_of_word[end - 1])
        return repeating
