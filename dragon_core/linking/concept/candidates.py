"""Nearest names by character 3-grams: cosine of TF-IDF vectors, as scispaCy's candidate generator has it.

Neumann, King, Beltagy and Ammar, ScispaCy: fast and robust models for biomedical natural language processing, BioNLP
2019, section 4. The 3-grams are those of each word between spaces, so that the order of words does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array, diags_array

from dragon_core.linking.concept.words import Tokens
from dragon_core.linking.mention import Float32s, Int32s

BUCKETS = 1 << 18
# A 3-gram of more names says little and would cost most of the time; of tables with fewer names all 3-grams count.
MOST_NAMES = 1 << 15
ROWS_AT_ONCE = 64


def trigrams(word: str) -> list[int]:
    """Hashes in [0, BUCKETS) of the 3-grams of ` word `; none for an empty word."""
    codes = [ord(character) for character in (f" {word} " if word else "")]
    return [
        (a * 1_000_003 + b * 8_191 + c * 31) % BUCKETS for a, b, c in zip(codes, codes[1:], codes[2:], strict=False)
    ]


def gram_counts(tokens: Tokens, forms: Sequence[str]) -> csr_array:
    """[T, BUCKETS] how often each text has each 3-gram.

    Args:
        tokens: Of T texts with W words.
        forms: The form of each of the W words whose 3-grams count.
    """
    grams = [trigrams(form) for form in forms]
    columns = np.array([gram for some in grams for gram in some], np.int32)
    bounds = np.cumsum([0, *map(len, grams)], dtype=np.int32)
    by_word = csr_array((np.ones(len(columns), np.float32), columns, bounds), shape=(len(forms), BUCKETS))
    words = (np.ones(len(tokens.ids), np.float32), tokens.ids, tokens.offsets.astype(np.int32))
    return csr_array(words, shape=(len(tokens.offsets) - 1, len(forms))) @ by_word


@dataclass(frozen=True)
class NearestNames:
    """TF-IDF vectors of M names, by 3-gram.

    Attributes:
        idf: [BUCKETS] log((1 + M) / (1 + names with the 3-gram)) + 1; 0 for one of too many names.
        vectors: [BUCKETS, M] of unit length.
    """

    idf: Float32s
    vectors: csr_array

    @classmethod
    def of(cls, counts: csr_array) -> Self:
        """From the counts [M, BUCKETS] of the names' 3-grams."""
        frequency = np.bincount(counts.indices, minlength=BUCKETS)
        idf = np.where(frequency <= MOST_NAMES, np.log((1 + counts.shape[0]) / (1 + frequency)) + 1, 0)
        return cls(idf.astype(np.float32), unit_rows(counts, idf.astype(np.float32)).T.tocsr())

    def nearest(self, counts: csr_array, neighbours: int) -> tuple[Int32s, Float32s]:
        """The names with the largest cosines to each of Q queries.

        Args:
            counts: [Q, BUCKETS] of the queries' 3-grams.
            neighbours: How many names to give, N.

        Returns:
            [Q, N] names, largest cosine first and of equal ones the first name; [Q, N] cosines. Where fewer names
            share a 3-gram the name is -1 and the cosine 0.
        """
        names = np.full((counts.shape[0], neighbours), -1, np.int32)
        cosines = np.zeros((counts.shape[0], neighbours), np.float32)
        queries = unit_rows(counts, self.idf)
        for begin in range(0, counts.shape[0], ROWS_AT_ONCE):
            products = queries[begin : begin + ROWS_AT_ONCE] @ self.vectors
            for row in range(products.shape[0]):
                part = slice(products.indptr[row], products.indptr[row + 1])
                found, values = products.indices[part], products.data[part]
                if len(found) > neighbours:
                    least = np.partition(values, len(values) - neighbours)[len(values) - neighbours]
                    found, values = found[values >= least], values[values >= least]
                order = np.lexsort((found, -values))[:neighbours]
                names[begin + row, : len(order)] = found[order]
                cosines[begin + row, : len(order)] = values[order]
        return names, cosines.clip(max=1)


def unit_rows(counts: csr_array, idf: Float32s) -> csr_array:
    """Rows weighted with `idf` and scaled to length 1; entries and rows without weight are left out, or zero."""
    weighted = counts @ diags_array(idf, dtype=np.float32)
    weighted.eliminate_zeros()
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).reshape(-1))
    return (diags_array(1 / np.maximum(norms, np.float32(1e-12)), dtype=np.float32) @ weighted).tocsr()
