"""Spans of texts whose words are a name: every span up to a length is looked up by array operations."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from dragon_core.linking.concept.abbreviations import find_abbreviations
from dragon_core.linking.concept.names import HashedNames
from dragon_core.linking.concept.words import Tokens, UInt64s, running_sums
from dragon_core.linking.mention import Int64s

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Matches:
    """Spans of tokens that are names (S spans).

    Attributes:
        starts: [S] first token, among those of all texts.
        ends: [S] token after the last.
        tables: [S] which table of names it is in.
        rows: [S] the row of its hash in that table.
    """

    starts: Int64s
    ends: Int64s
    tables: Int64s
    rows: Int64s

    @classmethod
    def of(cls, tokens: Tokens, hashes: Sequence[UInt64s], tables: Sequence[HashedNames], longest: int) -> Self:
        """Every span that a table has and that neither begins nor ends with a token of hash zero.

        Args:
            tokens: Of a batch of texts (K tokens).
            hashes: For each table, [K] hashes of the tokens.
            tables: The tables; of a span that several have, the first counts.
            longest: Tokens of a span at most.
        """
        texts = tokens.texts
        found: list[tuple[Int64s, ...]] = [(np.zeros(0, np.int64),) * 4]
        for length in range(1, min(longest, len(texts)) + 1):
            free = texts[length - 1 :] == texts[: len(texts) - length + 1]
            for table, (of_tokens, names) in enumerate(zip(hashes, tables, strict=True)):
                sums = running_sums(of_tokens)
                starts = np.flatnonzero(free & (of_tokens[: len(free)] != 0) & (of_tokens[length - 1 :] != 0))
                rows = names.rows(sums[starts + length] - sums[starts]).astype(np.int64)
                starts, rows = starts[rows >= 0], rows[rows >= 0]
                free[starts] = False
                found.append((starts, starts + length, np.full(len(starts), table), rows))
        return cls(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, kept: Bools | Int64s) -> Self:
        return type(self)(self.starts[kept], self.ends[kept], self.tables[kept], self.rows[kept])

    def longest(self, size: int) -> Self:
        """The matches left when the longest is taken first (of equal ones the first) and none that overlaps it.

        Args:
            size: Number of tokens of all texts.
        """
        order = np.lexsort((self.starts, self.starts - self.ends))
        free = bytearray(b"\x01") * size
        kept = []
        columns = (order.tolist(), self.starts[order].tolist(), self.ends[order].tolist())
        for index, start, end in zip(*columns, strict=True):
            if all(free[start:end]):
                free[start:end] = bytes(end - start)
                kept.append(index)
        picked = np.array(kept, np.int64)
        return self[picked[np.argsort(self.starts[picked])]]


class Definition(NamedTuple):
    """An abbreviation that a text defines, in tokens among those of all texts.

    Attributes:
        start: First token of the long form.
        end: Token after its last.
        occurrences: (first token, token after the last) of the short form wherever it stands.
    """

    start: int
    end: int
    occurrences: list[tuple[int, int]]


def definitions(texts: Sequence[str], tokens: Tokens) -> list[Definition]:
    """The abbreviations of each text; of a short form that is defined again the first definition counts."""
    found = []
    for index, text in enumerate(texts):
        seen = set()
        for abbreviation in find_abbreviations(text):
            short = text[abbreviation.short_start : abbreviation.short_end]
            if short not in seen:
                seen.add(short)
                start, end = tokens.span(index, abbreviation.long_start, abbreviation.long_end)
                places = re.finditer(rf"(?<!\w){re.escape(short)}(?!\w)", text)
                occurrences = [tokens.span(index, *place.span()) for place in places]
                found.append(Definition(start, end, [place for place in occurrences if not start <= place[0] < end]))
    return found


def expanded(hashes: UInt64s, abbreviations: Sequence[Definition]) -> UInt64s:
    """[K] hashes of tokens where a short form has the hash of its long form.

    Args:
        hashes: [K] of the tokens.
        abbreviations: What to replace.
    """
    result = hashes.copy()
    for start, end, occurrences in abbreviations:
        total = result[start:end].sum(dtype=np.uint64, keepdims=True)
        for first, last in occurrences:
            # No token may be zero at the end of a span.
            result[last - 1] = max(result[last - 1], np.uint64(1))
            result[first : first + 1] = total - result[first + 1 : last].sum(dtype=np.uint64, keepdims=True)
    return result
