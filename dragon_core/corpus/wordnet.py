"""WordNet as a corpus: a document a synset, with its words and definition as the first sentence, then its examples.

    dog, domestic dog, Canis familiaris: a member of the genus Canis that ... . the dog barked all night.

Segments are made of consecutive documents, so related ones stand together: lexicographer file by lexicographer file
(`noun.animal`, `noun.artifact`, ...), and in each depth-first down the hyponyms. Adjectives and adverbs keep the order
of the files, in which a satellite follows its head.
"""

from collections.abc import Iterator
from pathlib import Path

from dragon_core.corpus.documents import Document, RejectRecord
from dragon_core.corpus.entries import ended, entry_of, in_topical_order
from dragon_core.graph.wordnet.files import LEXICOGRAPHER_FILES, Synset, WordNet, read_wordnet

SOURCE = "wordnet"
HYPERNYMS = ("@", "@i")


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
        for synset in synsets_in_order(self._wordnet):
            self.done += 1
            yield document_of(synset)


def document_of(synset: Synset) -> Document:
    """The document of a synset."""
    sentences = [entry_of(synset.words, synset.definition), *map(ended, synset.examples)]
    return Document(synset.id, SOURCE, sentences, synset.definition)


def synsets_in_order(wordnet: WordNet) -> Iterator[Synset]:
    """Each synset once, by lexicographer file and there depth-first along the first hypernym."""
    parents: dict[str, dict[str, str | None]] = {file: {} for file in LEXICOGRAPHER_FILES}
    for synset in wordnet.synsets.values():
        parents[synset.lexicographer_file][synset.id] = _parent(synset, wordnet)
    for of_file in parents.values():
        for synset_id in in_topical_order(of_file):
            yield wordnet.synsets[synset_id]


def _parent(synset: Synset, wordnet: WordNet) -> str | None:
    for pointer in synset.pointers:
        parent = wordnet.synsets.get(pointer.target) if pointer.symbol in HYPERNYMS else None
        if parent is not None and parent.lexicographer_file == synset.lexicographer_file:
            return parent.id
    return None
