"""Batches of texts that bound the memory of linking."""

from collections.abc import Iterator, Sequence


def batches_of(texts: Sequence[str], max_texts: int, max_characters: int) -> Iterator[Sequence[str]]:
    """The texts in order, in batches within both limits; a text that is longer by itself is a batch of its own."""
    first, characters = 0, 0
    for position, text in enumerate(texts):
        if position > first and (position - first == max_texts or characters + len(text) > max_characters):
            yield texts[first:position]
            first, characters = position, 0
        characters += len(text)
    if first < len(texts):
        yield texts[first:]
