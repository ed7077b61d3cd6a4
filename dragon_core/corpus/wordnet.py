"""WordNet as a corpus: a document a synset, with its words and definition as the first sentence, then its examples.

    dog, domestic dog, Canis familiaris: a member of the genus Canis that ... . the dog barked all night.

Segments are made of consecutive documents, so related ones stand together: lexicographer file by lexicographer file
(`noun.animal`, `noun.artifact`, ...), and in each depth-first down the hyponyms. Adjectives and adverbs keep the order
of the files, in which a satellite follows its head.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from dragon_core.corpus.documents import Document, RejectRecord
from dragon_core.graph.wordnet.files import LEXICOGRAPHER_FILES, Synset, WordNet, read_wordnet

SOURCE = "wordnet"
HYPERNYMS = ("@", "@i")
SENTENCE_ENDS = (".", "!", "?")


class WordNetReader:
    """Reads WordNet's dictionary files as documents.

    Attributes:
        done: Documents given so far.
        total: Number of documents.
    """

    def __init__(self, folder: Path) -> None:
        self._wordnet = read_wordnet(folder)
        self.done = 0
        self.total = len(self._wordnet.synsets)

    def definitions(self) -> Iterator[str]:
        """Definition of every synset."""
        return (synset.definition for synset in self._wordnet.synsets.values())

    def documents(self, reject: RejectRecord) -> Iterator[Document]:
        """A document a synset, related ones together."""
        for rejected in self._wordnet.rejects:
            reject(*rejected)
        for synset in in_topical_order(self._wordnet):
            self.done += 1
            yield document_of(synset)


def document_of(synset: Synset) -> Document:
    """The document of a synset."""
    entry = f"{', '.join(synset.words)}: {synset.definition}"
    sentences = [_ended(sentence) for sentence in (entry, *synset.examples)]
    return Document(synset.id, SOURCE, sentences, synset.definition)


def in_topical_order(wordnet: WordNet) -> Iterator[Synset]:
    """Each synset once, by lexicographer file and there depth-first along the first hypernym."""
    roots: dict[str, list[Synset]] = defaultdict(list)
    children: dict[str, list[Synset]] = defaultdict(list)
    for synset in wordnet.synsets.values():
        parent = _parent(synset, wordnet)
        if parent is None:
            roots[synset.lexicographer_file].append(synset)
        else:
            children[parent.id].append(synset)
    for file in LEXICOGRAPHER_FILES:
        # Of synsets that are each other's hypernyms none is reached from a root; they come last.
        rest = [synset for synset in wordnet.synsets.values() if synset.lexicographer_file == file]
        seen: set[str] = set()
        for start in (*roots[file], *rest):
            stack = [start]
            while stack:
                synset = stack.pop()
                if synset.id not in seen:
                    seen.add(synset.id)
                    yield synset
                    stack.extend(reversed(children[synset.id]))


def _parent(synset: Synset, wordnet: WordNet) -> Synset | None:
    for pointer in synset.pointers:
        parent = wordnet.synsets.get(pointer.target) if pointer.symbol in HYPERNYMS else None
        if parent is not None and parent.lexicographer_file == synset.lexicographer_file:
            return parent
    return None


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(SENTENCE_ENDS) else f"{sentence}."
