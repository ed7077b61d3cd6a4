"""A dictionary of made-up words in the format of WordNet's files: enough of them for questions and many shards."""

from itertools import product
from pathlib import Path

import numpy as np

from tests.graph.wordnet.dictionary_files import write_wordnet

FAMILIES = 30
MEMBERS = 20


def write_dictionary(folder: Path) -> Path:
    """A tree of 30 families with 20 members each; a definition mentions two members of other families."""
    random = np.random.default_rng(0)
    syllables = list(product("bdfgklmnprst", "aeiou", "bdfgklmnprst", "aeiou", "ln"))
    words = ["".join(syllables[i]) for i in random.choice(len(syllables), FAMILIES * (MEMBERS + 1) + 1, replace=False)]
    lines = [_line(1, words[0], "that which is found anywhere at all", "")]
    for family in range(FAMILIES):
        first = 2 + family * (MEMBERS + 1)
        lines.append(_line(first, words[first - 1], f"any of the things of sort {family}", "@ 00000001 n 0000"))
        for member in range(first + 1, first + 1 + MEMBERS):
            one, other = (words[i] for i in random.choice(len(words), 2, replace=False))
            definition = f"the kind that looks for a {one} and stays away from every {other}"
            lines.append(_line(member, words[member - 1], definition, f"@ {first:08} n 0000"))
    return write_wordnet(folder, {"noun": "".join(lines), "verb": "", "adj": "", "adv": ""}, licence="")


def _line(number: int, word: str, definition: str, pointer: str) -> str:
    pointers = f"001 {pointer}" if pointer else "000"
    return f"{number:08} 05 n 01 {word} 0 {pointers} | {definition}\n"
