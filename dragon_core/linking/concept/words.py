"""Words of names and texts in a form in which spelling, number and numerals do not differ, and their hashes."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from dragon_core.linking.mention import Int32s, Int64s

UInt64s = npt.NDArray[np.uint64]

TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")
ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
GREEK = "GREEK SMALL LETTER "
# Words that may be missing, added or moved in a name that means the same; `s` is what a possessive leaves.
FUNCTION_WORDS = frozenset(
    ("a", "an", "and", "as", "at", "by", "due", "for", "in", "of", "on", "or", "s", "the", "to", "with")
)
LONGEST_ACRONYM = 5
SHOUTED = re.compile(r"[^\W\d_]{6}")


@dataclass(frozen=True)
class Tokens:
    """Tokens of a batch of texts (T texts, K tokens, W different words): runs of letters and digits, or one character.

    Attributes:
        offsets: [T + 1] the tokens of text `i` are `offsets[i]:offsets[i + 1]`.
        starts: [K] first character of the token in its text.
        ends: [K] character after its last.
        ids: [K] position of its word among `words`.
        words: The W different words, as written.
    """

    offsets: Int64s
    starts: Int32s
    ends: Int32s
    ids: Int32s
    words: list[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Tokens":
        """Split texts."""
        words: dict[str, int] = {}
        spans: list[tuple[int, int]] = []
        ids: list[int] = []
        offsets = [0]
        for text in texts:
            for match in TOKEN.finditer(text):
                spans.append(match.span())
                ids.append(words.setdefault(match[0], len(words)))
            offsets.append(len(ids))
        bounds = np.array(spans, np.int32).reshape(-1, 2)
        return cls(np.array(offsets), bounds[:, 0], bounds[:, 1], np.array(ids, np.int32), list(words))

    @property
    def texts(self) -> Int64s:
        """[K] the text of each token."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def span(self, text: int, start: int, end: int) -> tuple[int, int]:
        """First token, and token after the last, of the characters `start:end` of a text."""
        tokens = slice(self.offsets[text], self.offsets[text + 1])
        first = int(np.searchsorted(self.ends[tokens], start, side="right"))
        last = int(np.searchsorted(self.starts[tokens], end))
        return int(self.offsets[text]) + first, int(self.offsets[text]) + last


@lru_cache(maxsize=1 << 18)
def stem(word: str) -> str:
    """A token without what inflection and spelling add; empty for punctuation and for words that say nothing.

    Plurals go as in Harman's S-stemmer (How effective is suffixing?, Journal of the American Society for Information
    Science 42(1), 1991). An acronym stays as it is written.
    """
    lower = word.lower()
    if lower in ROMAN:
        return ROMAN[lower]
    if is_acronym(word):
        return word.removesuffix("s")
    if not lower.isascii():
        lower = "".join(map(_plain, unicodedata.normalize("NFKD", lower)))
    # `A` is not the article but that of `hepatitis A`.
    if not lower.isalnum() or (lower in FUNCTION_WORDS and (len(word) > 1 or word.islower())):
        return ""
    if len(lower) > 4:
        lower = lower.replace("ae", "e").replace("oe", "e").replace("our", "or")
    if len(lower) > 3:
        if lower.endswith("ies") and not lower.endswith(("eies", "aies")):
            return lower[:-3] + "y"
        if lower.endswith("s") and not lower.endswith(("us", "ss", "is")):
            return lower[:-1]
    return lower


def _plain(character: str) -> str:
    """A character without accents; a Greek letter by its name."""
    name = unicodedata.name(character, "")
    return (
        name.removeprefix(GREEK).lower()
        if name.startswith(GREEK)
        else ""
        if unicodedata.combining(character)
        else character
    )


def is_acronym(word: str) -> bool:
    """Whether a token is written like an acronym, such as `DNA`, `pGCs` or `C7`, so that its capitals matter."""
    rest = word.removesuffix("s")[1:]
    return 0 < len(rest) < LONGEST_ACRONYM and rest.upper() == rest and sum(map(str.isupper, word)) > 1


def unshouted(name: str) -> str:
    """A name in small letters if it is all in capitals and has a word too long for an acronym."""
    return name.lower() if name.isupper() and SHOUTED.search(name) else name


@lru_cache(maxsize=1 << 18)
def word_hash(word: str) -> int:
    """64 bits of a word; 0 for the empty one."""
    return (
        int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little") if word else 0
    )


def hashes_of(words: Sequence[str]) -> UInt64s:
    """[W] hash of each word."""
    return np.fromiter(map(word_hash, words), np.uint64, len(words))


def mixed(values: UInt64s) -> UInt64s:
    """Numbers spread over 64 bits (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def running_sums(hashes: UInt64s) -> UInt64s:
    """[K + 1] sums of the first hashes, modulo 2**64; `sums[b] - sums[a]` is the hash of tokens a to b in any order."""
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashes, dtype=np.uint64)])
