"""Multiple choice generated from WordNet: a definition that pretraining never read, and the concept it defines.

The distractors are siblings of the answer: concepts with the same hypernym (for adjectives: similar to the same one).
So that nothing but the question tells the answer from its distractors, a distractor must be fit to be an answer: with
a definition that is long enough and does not name it. Among the fit siblings, which one is asked is chance.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from random import Random

from dragon_core.graph.wordnet.files import Synset, WordNet
from dragon_core.qa.question import Question
from dragon_core.qa.words import is_stop_word, lemma_of

PARENTS = ("@", "@i", "&")
MIN_WORDS = 4
# Words that share so many first letters count as forms of one another: painter, painting.
STEM_LETTERS = 5


def generate_questions(wordnet: WordNet, held_out: Iterable[str], num_choices: int, seed: int) -> Iterator[Question]:
    """A question for each held-out synset that allows one, in an order that depends on the seed alone.

    Args:
        wordnet: The dictionary.
        held_out: Ids of the synsets whose definitions may be asked.
        num_choices: Choices of a question; a synset with fewer fit siblings is passed over.
        seed: Another seed gives other distractors and another order.
    """
    families: dict[str, list[Synset]] = defaultdict(list)
    for synset in wordnet.synsets.values():
        for parent in _parents(synset):
            families[parent].append(synset)
    random = Random(seed)
    ids = sorted(set(held_out) & wordnet.synsets.keys())
    random.shuffle(ids)
    asked: set[str] = set()
    for synset_id in ids:
        synset = wordnet.synsets[synset_id]
        if not is_fit(synset) or synset.definition in asked:
            continue
        siblings = {sibling.id: sibling for parent in _parents(synset) for sibling in families[parent]}
        distractors = _distractors(synset, siblings.values(), num_choices - 1, random)
        if len(distractors) == num_choices - 1:
            asked.add(synset.definition)
            choices = [synset.lemmas[0], *distractors]
            random.shuffle(choices)
            yield Question(synset.id, synset.definition, choices, choices.index(synset.lemmas[0]))


def is_fit(synset: Synset) -> bool:
    """Whether a synset can be asked: its definition has enough words, and none of the words it defines."""
    words = synset.definition.lower().split()
    return len(words) >= MIN_WORDS and not names_itself(synset)


def names_itself(synset: Synset) -> bool:
    """Whether a definition holds a word of its synset's lemmas, or a form of one."""
    defined = _stems(word for lemma in synset.lemmas for word in lemma.replace("-", " ").split())
    return not defined.isdisjoint(_stems(synset.definition.lower().replace("-", " ").split()))


def _stems(words: Iterable[str]) -> set[str]:
    bare = (word.strip(".,;:()'\"`?!") for word in words)
    return {lemma_of(word)[:STEM_LETTERS] for word in bare if word and not is_stop_word(word)}


def _distractors(synset: Synset, siblings: Iterable[Synset], number: int, random: Random) -> list[str]:
    """First lemmas of siblings, none of them a lemma of the synset itself, none twice."""
    pool = sorted((sibling for sibling in siblings if is_fit(sibling)), key=lambda sibling: sibling.id)
    random.shuffle(pool)
    chosen: dict[str, None] = {}
    for sibling in pool:
        if len(chosen) == number:
            break
        # A sibling that shares a word with the answer may be a right answer, too.
        if set(sibling.lemmas).isdisjoint(synset.lemmas):
            chosen[sibling.lemmas[0]] = None
    return list(chosen)


def _parents(synset: Synset) -> Iterator[str]:
    return (pointer.target for pointer in synset.pointers if pointer.symbol in PARENTS)
