"""Single English words: which say too little to be asked about, and their lemmas."""

from functools import cache

import simplemma


def is_stop_word(word: str) -> bool:
    """Whether a lower-case word on its own says too little to be asked about."""
    from spacy.lang.en.stop_words import STOP_WORDS

    return word in STOP_WORDS or len(word) < 2 or word.isnumeric()


@cache
def lemma_of(word: str) -> str:
    """Lemma of a lower-case English word, without regard to its part of speech."""
    return simplemma.lemmatize(word, lang="en").lower()
