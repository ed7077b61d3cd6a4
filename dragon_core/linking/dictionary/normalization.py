"""Texts and names brought to one form in which a name is a substring, with the way back to the characters of the text.

Case, accents and compatibility forms are folded; every word stands between single spaces. A hyphen or underscore
within a word divides it; an apostrophe within a word opens a word of its own, so that `dog's` holds `dog`; a period
within a word stays (`u.s`, `3.5`), and so does a comma between digits. All other punctuation is a word of its own that
no name bridges, unless it has the same. A batch of texts passes a fixed number of array operations.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from dragon_core.linking.mention import Int32s, Int64s

BREAK = "\x01"
# Between two texts.
SEPARATOR = "\x02"

_FRACTION_SLASH = "\u2044"

# Above are rare letters and private characters, which stay as they are.
_TABLE_SIZE = 0x20000

_IGNORED, _WORD, _SPACE, _BREAK, _HYPHEN, _APOSTROPHE, _PERIOD, _COMMA, _SYMBOL = range(9)
_KINDS = {
    **dict.fromkeys("-_\u2010\u2011", _HYPHEN),
    **dict.fromkeys("'\u2019\u02bc\uff07", _APOSTROPHE),
    ".": _PERIOD,
    ",": _COMMA,
    **dict.fromkeys("+#&%$@\u20ac\u00a3\u00b0", _SYMBOL),
    SEPARATOR: _WORD,
}

# Rows of the table of replacements after those of the characters.
_SPACE_ROW, _BREAK_ROW, _APOSTROPHE_ROW, _IGNORED_ROW, _OTHER_ROW = range(_TABLE_SIZE, _TABLE_SIZE + 5)


@dataclass(frozen=True)
class NormalizedTexts:
    """A batch of texts as one byte string (B bytes, T texts).

    Attributes:
        text: UTF-8; between any two words, and at both ends, is one space.
        characters: [B] position of the character that each byte comes from, among those of all texts.
        starts: [T] position of each text's first character.
    """

    text: bytes
    characters: Int64s
    starts: Int64s


def normalize(texts: Sequence[str]) -> NormalizedTexts:
    """Normalise a batch of texts.

    Args:
        texts: Any strings; lone surrogates are punctuation.
    """
    joined = SEPARATOR.join(["", *texts, ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    table = _table()
    rows = table.rows_of(codes)
    ends = np.cumsum(table.lengths[rows], dtype=np.int64)
    source = np.repeat(np.arange(len(codes)), table.lengths[rows])
    within = np.arange(len(source)) - (ends - table.lengths[rows])[source]
    folded = table.replacements[table.offsets[rows][source] + within]
    is_rare = rows[source] == _OTHER_ROW
    folded[is_rare] = codes[source[is_rare]]
    is_space = folded == ord(" ")
    kept = np.ones(len(folded), bool)
    kept[1:] = ~(is_space[1:] & is_space[:-1])
    folded, source = folded[kept], source[kept]
    lengths = np.array([len(text) for text in texts], np.int64)
    starts = 1 + np.cumsum(lengths + 1) - (lengths + 1)
    if folded.max(initial=0) < 0x80:
        return NormalizedTexts(folded.astype(np.uint8).tobytes(), source, starts)
    width = 1 + (folded >= 0x80).astype(np.int8) + (folded >= 0x800) + (folded >= 0x10000)
    return NormalizedTexts(folded.tobytes().decode("utf-32-le").encode(), np.repeat(source, width), starts)


def normalize_names(names: Sequence[str]) -> list[str]:
    """Normalise names: their words with single spaces between, without punctuation at the ends; maybe nothing."""
    parts = normalize([name.replace(SEPARATOR, " ") for name in names]).text.decode().split(SEPARATOR)[1:-1]
    return [part.strip(f" {BREAK}") for part in parts]


@dataclass(frozen=True)
class _Table:
    """What stands for each character: row `code` of ragged rows of code points, and what kind of character it is."""

    kinds: npt.NDArray[np.int8]
    uppercase: npt.NDArray[np.bool_]
    digits: npt.NDArray[np.bool_]
    replacements: npt.NDArray[np.uint32]
    offsets: Int32s
    lengths: npt.NDArray[np.int8]

    def rows_of(self, codes: npt.NDArray[np.uint32]) -> Int64s:
        """The row of each character, which depends on its neighbours if it is punctuation."""
        rows = np.minimum(codes, _OTHER_ROW).astype(np.int64)
        ordinary = codes < _TABLE_SIZE
        rows[~ordinary] = _OTHER_ROW
        # Variants of the character before.
        rows[(codes >= 0xE0100) & (codes <= 0xE01EF)] = _IGNORED_ROW
        kinds = self.kinds[rows]
        special = np.flatnonzero(kinds >= _SPACE)
        special = special[(special > 0) & (special < len(codes) - 1)]
        kind, before, after = kinds[special], rows[special - 1], rows[special + 1]
        is_word = self.kinds == _WORD
        is_word[ord(SEPARATOR)] = False
        inside = is_word[before] & is_word[after]
        new_sentence = self.uppercase[after] & ~self.uppercase[before]
        stays = (
            ((kind == _PERIOD) & inside & ~new_sentence)
            | ((kind == _COMMA) & self.digits[before] & self.digits[after])
            | ((kind == _SYMBOL) & (is_word[before] | is_word[after]))
        )
        row = np.full(len(special), _BREAK_ROW)
        row[(kind == _SPACE) | ((kind == _HYPHEN) & inside)] = _SPACE_ROW
        row[(kind == _APOSTROPHE) & inside] = _APOSTROPHE_ROW
        rows[special[~stays]] = row[~stays]
        return rows


@cache
def _table() -> _Table:
    replacements: list[str] = []
    kinds = np.full(_OTHER_ROW + 1, _WORD, np.int8)
    uppercase, digits = (np.zeros(_OTHER_ROW + 1, bool) for _ in range(2))
    for code in range(_TABLE_SIZE):
        character = chr(code)
        kinds[code] = _KINDS.get(character, _kind_of(character))
        uppercase[code], digits[code] = character.isupper(), character.isdecimal()
        replacements.append("" if kinds[code] == _IGNORED else _replacement(character))
    replacements[ord(SEPARATOR)] = f" {SEPARATOR} "
    kinds[_IGNORED_ROW] = _IGNORED
    replacements += [" ", f" {BREAK} ", " '", "", "?"]
    lengths = np.array([len(replacement) for replacement in replacements], np.int8)
    return _Table(
        kinds=kinds,
        uppercase=uppercase,
        digits=digits,
        replacements=np.frombuffer("".join(replacements).encode("utf-32-le", "surrogatepass"), np.uint32),
        offsets=(np.cumsum(lengths, dtype=np.int32) - lengths).astype(np.int32),
        lengths=lengths,
    )


def _kind_of(character: str) -> int:
    category = unicodedata.category(character)
    if category in {"Mn", "Me", "Cf"}:
        return _IGNORED
    if category[0] in "LNM":
        return _WORD
    return _SPACE if category[0] == "Z" or category == "Cc" else _BREAK


def _replacement(character: str) -> str:
    """The character without case, accents and compatibility forms."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    # Else one half would read as twelve.
    if _FRACTION_SLASH in folded:
        return f" {BREAK} "
    return "".join(part for part in folded if unicodedata.category(part)[0] in "LN") or character
