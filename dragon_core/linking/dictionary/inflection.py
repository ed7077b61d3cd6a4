"""Forms in which a name may stand in text: plurals, verb forms, comparatives, regular or not.

The forms come from lemminflect (its dictionary, and its rules for words the dictionary lacks), offline, so that no text
is ever lemmatised.
"""

from functools import cache
from itertools import product

# The text has the name as it is.
EXACT_SCORE = 1.0
# The text has an inflection of the name: `dogs` for `dog`.
INFLECTED_SCORE = 0.9
# The name is itself inflected, and the text has another inflection of the same word: `shoe` for `shoes`.
RELATED_SCORE = 0.8

NOUNS = ("NOUN", "PROPN")
VERBS = ("VERB", "AUX")
ANY_PART = (*NOUNS, *VERBS, "ADJ", "ADV")

# Plurals that the dictionary lacks.
MORE_INFLECTIONS = {"person": ("people",)}


def forms_of_name(name: str) -> dict[str, float]:
    """Forms of a normalised name, each with its score.

    Of a phrase the first word is inflected as a verb (`eat food`, `ate food`), or as a noun before `of` (`glasses of
    water`), and the last word as a noun (`stray dogs`), of two words also as a verb (`go fish`, `going fishing`): where
    English phrases inflect.
    """
    words = name.split(" ")
    if len(words) == 1:
        return forms_of_word(name, ANY_PART)
    first, *middle, last = words
    of_first = forms_of_word(first, NOUNS if middle[:1] == ["of"] else VERBS)
    of_last = forms_of_word(last, NOUNS if middle else (*NOUNS, *VERBS))
    return {
        " ".join([first_form, *middle, last_form]): min(first_score, last_score)
        for (first_form, first_score), (last_form, last_score) in product(of_first.items(), of_last.items())
    }


@cache
def forms_of_word(word: str, parts_of_speech: tuple[str, ...]) -> dict[str, float]:
    """Forms of a word in some parts of speech, each with its score.

    A word with other characters than letters has no other form. One that is not in the dictionary is taken for a noun.
    """
    # With it comes spaCy, and with spaCy PyTorch.
    import lemminflect

    exact = {word: EXACT_SCORE}
    if not word.isalpha() or len(word) < 2:
        return exact
    lemmas = lemminflect.getAllLemmas(word)
    if not lemmas:
        return _forms(lemminflect.getAllInflectionsOOV(word, "NOUN"), INFLECTED_SCORE) | exact
    scores: dict[str, float] = {}
    for part in lemmas.keys() & set(parts_of_speech):
        for lemma in lemmas[part]:
            score = INFLECTED_SCORE if lemma == word else RELATED_SCORE
            for form in (*_forms(lemminflect.getAllInflections(lemma, part), score), *MORE_INFLECTIONS.get(lemma, ())):
                scores[form] = max(score, scores.get(form, 0.0))
    return dict(sorted(scores.items())) | exact


def _forms(inflections: dict[str, tuple[str, ...]], score: float) -> dict[str, float]:
    return {form: score for forms in inflections.values() for form in forms}
