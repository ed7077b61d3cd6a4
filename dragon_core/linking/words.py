"""English words that say too little to be linked.

`published_words.json` holds the words of the entity-linking recipe published with QA-GNN and DRAGON: NLTK's 179 English
stop words, and the recipe's pronouns and black list.
"""

import json
from importlib.resources import files

PUBLISHED_WORDS: dict[str, frozenset[str]] = {
    name: frozenset(words)
    for name, words in json.loads((files(__package__) / "published_words.json").read_text(encoding="utf-8")).items()
}
PRONOUNS = PUBLISHED_WORDS["pronouns"]
# The published stop words lack most modal verbs.
FUNCTION_WORDS = PUBLISHED_WORDS["stop_words"] | PUBLISHED_WORDS["black_list"] | {"might", "may", "must", "shall"}
