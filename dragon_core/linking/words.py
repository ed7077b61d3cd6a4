"""Single English words: which say too little to be linked, and their lemmas.

`published_words.json` holds the words of the entity-linking recipe published with QA-GNN and DRAGON: NLTK's 179 English
stop words, and the recipe's pronouns and black list.
"""

import json
from functools import cache
from importlib.resources import files

import simplemma
from spacy.lang.en.stop_words import STOP_WORDS

PUBLISHED_WORDS: dict[str, frozenset[str]] = {
    name: frozenset(words)
    for name, words in json.loads((files(__package__) / "published_words.json").read_text(encoding="utf-8")).items()
}
PRONOUNS = PUBLISHED_WORDS["pronouns"]
# The published stop words lack most modal verbs.
FUNCTION_WORDS = PUBLISHED_WORDS["stop_words"] | PUBLISHED_WORDS["black_list"] | {"might", "may", "must", "shall"}


def is_stop_word(word: str) -> bool:
    """Whether a lower-case word on its own says too little to be asked about."""
    return word in STOP_WORDS or len(word) < 2 or word.isnumeric()


@cache
def lemma_of(word: str) -> str:
    """Lemma of a lower-case English word, without regard to its part of speech."""
    return simplemma.lemmatize(word, lang="en").lower()
