from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from dragon_core.training.errors import TrainingError
from dragon_core.training.masking import IGNORED_LABEL, NO_WORD, WordMasker, word_numbers
from dragon_core.training.random_numbers import Purpose, example_keys, uniform
from tests.training.encoders import byte_pair_tokenizer, word_piece_tokenizer

TOKENIZERS = {"word pieces": word_piece_tokenizer(), "byte pairs": byte_pair_tokenizer()}
texts = st.lists(st.text("aehrst uv,.-'éß", max_size=60), min_size=1, max_size=5)
tokenizers = st.sampled_from(sorted(TOKENIZERS))


def encode(tokenizer: PreTrainedTokenizerFast, given_texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    encoded = tokenizer(given_texts, padding=True, truncation=True, max_length=32)
    return np.array(encoded["input_ids"]), np.stack([word_numbers(encoding) for encoding in encoded.encodings])


def naive_order(numbers: list[int], key: np.ndarray, spans: bool) -> list[int]:
    """The words of a text in the order in which they are to be masked."""
    starts = sorted(numbers, key=lambda word: uniform(key, Purpose.MASKED_WORDS, word)[0])
    if not spans:
        return starts
    order: list[int] = []
    for start in starts:
        place = numbers.index(start)
        # The length is the number of throws of a five-sided die until a given side comes, ten at most.
        survived = 1 - uniform(key, Purpose.SPAN_LENGTH, place)[0]
        length = next((n for n in range(1, 10) if survived > 0.8**n), 10)
        order.extend(word for word in numbers[place : place + length] if word not in order)
    return order


def naive_choice(words: list[int], key: np.ndarray, share: float, spans: bool) -> set[int]:
    """Columns to mask: words in their order, as long as at least half of the next one fits; the first in any case."""
    tokens = [column for column, word in enumerate(words) if word != NO_WORD]
    numbers = naive_order(sorted({words[column] for column in tokens}), key, spans)
    chosen: set[int] = set()
    for word in numbers:
        columns = {column for column in tokens if words[column] == word}
        if chosen and len(chosen) + len(columns) / 2 > share * len(tokens):
            break
        chosen |= columns
    return chosen


@settings(deadline=None, max_examples=150)
@given(tokenizers, texts, st.integers(0, 1000), st.sampled_from([0.01, 0.15, 0.5]), st.booleans())
def test_masks_what_the_naive_version_masks(
    name: str, given_texts: list[str], seed: int, share: float, spans: bool
) -> None:
    tokenizer = TOKENIZERS[name]
    input_ids, words = encode(tokenizer, given_texts)
    keys = example_keys(seed, 0, np.arange(len(given_texts)))
    masked, labels = WordMasker(tokenizer, share, spans)(input_ids, words, keys)
    for row in range(len(given_texts)):
        chosen = naive_choice(words[row].tolist(), keys[row : row + 1], share, spans)
        hidden = {column for column, label in enumerate(labels[row]) if label != IGNORED_LABEL}
        assert hidden == chosen
        assert bool(hidden) == bool((words[row] != NO_WORD).any())
    hidden = labels != IGNORED_LABEL
    np.testing.assert_array_equal(labels[hidden], input_ids[hidden])
    np.testing.assert_array_equal(masked[~hidden], input_ids[~hidden])
    replaced = hidden & (masked != input_ids) & (masked != tokenizer.mask_token_id)
    assert not np.isin(masked[replaced], tokenizer.all_special_ids).any()


@settings(deadline=None)
@given(tokenizers, texts)
def test_words_end_at_white_space_and_punctuation(name: str, given_texts: list[str]) -> None:
    tokenizer = TOKENIZERS[name]
    encoded = tokenizer(given_texts, return_offsets_mapping=True)
    for text, encoding, offsets in zip(given_texts, encoded.encodings, encoded["offset_mapping"], strict=True):
        numbers = word_numbers(encoding)
        spans: dict[int, list[tuple[int, int]]] = {}
        for number, offset in zip(numbers.tolist(), offsets, strict=True):
            if number != NO_WORD:
                spans.setdefault(number, []).append(offset)
        for pieces in spans.values():
            written = text[min(start for start, _ in pieces) : max(end for _, end in pieces)]
            assert " " not in written.strip()


@pytest.mark.parametrize("spans", [False, True])
@pytest.mark.parametrize("make_tokenizer", [word_piece_tokenizer, byte_pair_tokenizer])
def test_shares_of_tokens_and_of_kinds(make_tokenizer: Callable[[], PreTrainedTokenizerFast], spans: bool) -> None:
    tokenizer = make_tokenizer()
    input_ids, words = encode(tokenizer, ["the unbelievable river, and a small house of green dogs"] * 3000)
    masked, labels = WordMasker(tokenizer, spans=spans)(input_ids, words, example_keys(0, 0, np.arange(3000)))
    hidden = labels != IGNORED_LABEL
    assert hidden.sum() / (words != NO_WORD).sum() == pytest.approx(0.15, abs=0.02)
    assert (masked[hidden] == tokenizer.mask_token_id).mean() == pytest.approx(0.8, abs=0.02)
    # A random token is the right one once in a while.
    replaced = (masked[hidden] != tokenizer.mask_token_id) & (masked[hidden] != labels[hidden])
    assert replaced.mean() == pytest.approx(0.1, abs=0.02)


def test_spans_hide_neighbours_together() -> None:
    tokenizer = TOKENIZERS["word pieces"]
    input_ids, words = encode(tokenizer, ["a e h r s t u v a e h r s t u v a e h r s t u v"] * 2000)
    keys = example_keys(0, 0, np.arange(2000))

    def neighbours(spans: bool) -> float:
        hidden = WordMasker(tokenizer, spans=spans)(input_ids, words, keys)[1] != IGNORED_LABEL
        return float((hidden[:, 1:] & hidden[:, :-1]).sum() / hidden.sum())

    assert neighbours(spans=False) < 0.2
    assert neighbours(spans=True) > 0.5


def test_an_epoch_masks_other_words_than_the_one_before() -> None:
    tokenizer = TOKENIZERS["word pieces"]
    input_ids, words = encode(tokenizer, ["the river and a small house of green dogs that run over old hills"] * 20)
    masker = WordMasker(tokenizer)
    first, again, second = (masker(input_ids, words, example_keys(0, epoch, np.arange(20)))[1] for epoch in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()


def test_a_tokenizer_without_mask_token_is_refused() -> None:
    tokenizer = word_piece_tokenizer()
    tokenizer.mask_token = None
    with pytest.raises(TrainingError, match="no mask token"):
        WordMasker(tokenizer)
