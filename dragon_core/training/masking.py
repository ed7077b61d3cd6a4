"""Masking of words (whole-word masking, Devlin et al., 2019) and of spans of words (Joshi et al., TACL 2020).

A word is hidden with all its tokens or not at all.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from dragon_core.training.errors import TrainingError
from dragon_core.training.random_numbers import Floats, Purpose, UInt64s, uniform

Int64s = npt.NDArray[np.int64]

NO_WORD = -1
IGNORED_LABEL = -100
MASK_SHARE = 0.8
RANDOM_SHARE = 0.1
SPAN_STOP = 0.2
LONGEST_SPAN = 10


class TokenizedText(Protocol):
    """What is needed of a tokenizer's encoding of one text (`tokenizers.Encoding`)."""

    @property
    def word_ids(self) -> Sequence[int | None]:
        """Number of the word that each token is of; None for special and padding tokens."""

    @property
    def sequence_ids(self) -> Sequence[int | None]:
        """0 for the tokens of a text, 1 for those of a second one beside it; None for special and padding tokens."""


def word_numbers(text: TokenizedText) -> Int64s:
    """The word of each token, as the tokenizer divided the text before it made pieces of the words.

    That division is at white space and punctuation, for WordPiece and for byte-level BPE alike.

    Returns:
        [T]; `NO_WORD` for special and padding tokens, and for those of a second text, which is not to be masked.
    """
    pairs = zip(text.word_ids, text.sequence_ids, strict=True)
    return np.array([NO_WORD if word is None or second else word for word, second in pairs], dtype=np.int64)


class WordMasker:
    """Chooses words and hides them.

    As many words are chosen, in random order, as bring the masked tokens nearest to the share, but at least one, unless
    the share is 0. Of the tokens of chosen words 80% become the mask token, 10% a random token that is not special, 10%
    stay. With spans, the random order is one of spans: each word begins one whose length in words is drawn from the
    geometric distribution with p = 0.2, cut at 10, and a word comes with the first span that it is in.

    Attributes:
        share: Share of a text's tokens to be predicted.
        spans: Whether words are chosen by spans.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, share: float = 0.15, spans: bool = False) -> None:
        if tokenizer.mask_token_id is None:
            raise TrainingError("The encoder's tokenizer has no mask token; choose an encoder made for masked tokens.")
        self.share = share
        self.spans = spans
        self._mask_token = tokenizer.mask_token_id
        self._replacements = np.setdiff1d(np.arange(len(tokenizer)), tokenizer.all_special_ids)

    def __call__(self, input_ids: Int64s, words: Int64s, keys: UInt64s) -> tuple[Int64s, Int64s]:
        """Mask a batch.

        Args:
            input_ids: [B, T].
            words: [B, T] as `word_numbers` gives them, rising within a text.
            keys: [B] random keys of the examples.

        Returns:
            input_ids [B, T] with words hidden, and labels [B, T]: the hidden tokens, `IGNORED_LABEL` elsewhere.
        """
        rows, columns = self._chosen_tokens(words, keys)
        labels = np.full_like(input_ids, IGNORED_LABEL)
        labels[rows, columns] = input_ids[rows, columns]
        kind = uniform(keys[rows], Purpose.MASK_KIND, columns)
        pick = uniform(keys[rows], Purpose.REPLACEMENT_TOKEN, columns)
        replacement = self._replacements[(pick * len(self._replacements)).astype(np.int64)]
        kept_or_replaced = np.where(kind < MASK_SHARE + RANDOM_SHARE, replacement, input_ids[rows, columns])
        masked = input_ids.copy()
        masked[rows, columns] = np.where(kind < MASK_SHARE, self._mask_token, kept_or_replaced)
        return masked, labels

    def _chosen_tokens(self, words: Int64s, keys: UInt64s) -> tuple[Int64s, Int64s]:
        rows, columns = np.nonzero(words != NO_WORD)
        numbers = words[rows, columns]
        first = np.ones(len(rows), dtype=bool)
        first[1:] = (rows[1:] != rows[:-1]) | (numbers[1:] != numbers[:-1])
        starts = np.flatnonzero(first)
        word_rows = rows[starts]
        sizes = np.diff(starts, append=len(rows))
        priority = uniform(keys[word_rows], Purpose.MASKED_WORDS, numbers[starts])
        if self.spans:
            priority = _of_first_span(priority, word_rows, keys)
        order = np.lexsort((priority, word_rows))
        ends = np.cumsum(sizes[order])
        tokens = np.bincount(rows, minlength=len(words))
        begins = ends - sizes[order] - (np.cumsum(tokens) - tokens)[word_rows[order]]
        # A word is in if at least half of it fits under the share; so the share is met on average.
        at_least_one = (begins == 0) & (self.share > 0)
        chosen = at_least_one | (begins + sizes[order] / 2 <= self.share * tokens[word_rows[order]])
        word_chosen = np.zeros(len(starts), dtype=bool)
        word_chosen[order] = chosen
        token_chosen = np.repeat(word_chosen, sizes)
        return rows[token_chosen], columns[token_chosen]


def _of_first_span(priority: Floats, rows: Int64s, keys: UInt64s) -> Floats:
    """The least priority among the spans that each word is in; words [W] are sorted by text and place."""
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    drawn = uniform(keys[rows], Purpose.SPAN_LENGTH, place)
    # Inverse of the geometric distribution function.
    lengths = np.minimum(np.floor(np.log1p(-drawn) / np.log1p(-SPAN_STOP)) + 1, LONGEST_SPAN)
    first = priority.copy()
    for offset in range(1, min(LONGEST_SPAN, len(rows))):
        reaches = (lengths[:-offset] > offset) & (rows[:-offset] == rows[offset:])
        first[offset:] = np.where(reaches, np.minimum(first[offset:], priority[:-offset]), first[offset:])
    return first
