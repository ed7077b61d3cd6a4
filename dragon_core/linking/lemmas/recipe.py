"""The entity-linking recipe published with QA-GNN and DRAGON, as rules on lemmas.

A concept is found where the lemmas of a text are the lemmas of its name. The rules are those of
`preprocess_utils/grounding.py` in github.com/michiyasunaga/dragon, with two differences: of concepts of equal length
the original takes an arbitrary one, here the first in the alphabet; and spaces stand where it has underscores, so that
a text of several words that is itself a concept is kept, which the original loses.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from dragon_core.linking.lemmas.tagging import Token
from dragon_core.linking.words import PUBLISHED_WORDS

Role = Literal["question", "answer"]

STOP_WORDS, PRONOUNS, BLACK_LIST = (PUBLISHED_WORDS[name] for name in ("stop_words", "pronouns", "black_list"))
MAX_TOKENS = 4
CONCEPTS_OF_A_SPAN = 3


def lemma_of(tokens: Sequence[Token]) -> str:
    """A name's own lemmatisation."""
    return " ".join(token.lemma for token in tokens)


def is_searched(name: Sequence[Token]) -> bool:
    """Whether a concept of this name is looked for in text."""
    if not 0 < len(name) <= MAX_TOKENS or name[0].text in PRONOUNS or name[-1].text in PRONOUNS:
        return False
    return not all(token.text in STOP_WORDS or token.lemma in STOP_WORDS or token.lemma in BLACK_LIST for token in name)


def concepts_of_span(span: str, names: Iterable[str], lemmas: Mapping[str, str]) -> set[str]:
    """The concepts that a span stands for.

    Args:
        span: Its text, in lower case.
        names: The names that have the span's lemmas.
        lemmas: Each name's own lemmatisation, and that of the lemmas of one-word names.
    """
    found = set(names)
    found |= {lemmas[name] for name in found if " " not in name}
    shortest = sorted(found, key=lambda name: (len(name), name))[:CONCEPTS_OF_A_SPAN]
    kept = {lemmas[name] if lemmas[name] in shortest else name for name in shortest if name not in BLACK_LIST}
    return kept | {name for name in found if name.lower() == span}


def fallback(tokens: Sequence[Token], names: Collection[str]) -> Iterator[tuple[int, int, str]]:
    """(first token, end, concept) for a text in which no span is found: its lemmas, and itself."""
    for position, token in enumerate(tokens):
        if token.lemma in names:
            yield position, position + 1, token.lemma
    text = " ".join(token.text for token in tokens)
    if text in names and tokens and [token.lemma for token in tokens] != [text]:
        yield 0, len(tokens), text


def prune(concepts: Collection[str], names: Collection[str], role: Role) -> set[str]:
    """Drop what is no concept or says too little.

    Of a question a concept with a stop word is dropped, of an answer one of stop words only; `xer` and `xe` give way
    to `x`.
    """
    has_stop_words = any if role == "question" else all
    return {
        concept
        for concept in concepts
        if not (concept.endswith("er") and concept[:-2] in concepts)
        and not (concept.endswith("e") and concept[:-1] in concepts)
        and not has_stop_words(word in STOP_WORDS for word in concept.split(" "))
        and concept in names
    }
