"""The definitions of an ontology as a corpus: a document a term, with its names and what they mean.

    Renal cyst, Cyst of kidney: A fluid-filled sac in the kidney.

Related terms stand together: depth-first down `is a`, along the first parent that a term states. Terms that are
obsolete or have no definition are no documents.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dragon_core.artifacts.draft import Tally
from dragon_core.corpus.documents import Document, RejectRecord
from dragon_core.corpus.entries import entry_of, in_topical_order
from dragon_core.corpus.text import split_sentences
from dragon_core.graph.delimited import matching_files
from dragon_core.graph.obo.params import OboParams
from dragon_core.graph.obo.source import PATTERN
from dragon_core.graph.obo.terms import IS_A, Ontology

SOURCE = "obo"


class OboReader:
    """Reads the definitions of an OBO file, or of those in a folder.

    Attributes:
        done: Documents given so far.
        total: Number of documents.
    """

    def __init__(self, root: Path) -> None:
        tally = Tally()
        ontology = Ontology(OboParams(), tally)
        stated: dict[str, str] = {}
        for path in matching_files(root, PATTERN):
            for edges in ontology.read(path):
                for term, relation, other in edges.select("head", "relation", "tail").iter_rows():
                    if relation == IS_A:
                        stated.setdefault(term, other)
        self._terms = ontology.nodes
        self._parents = _parents(ontology, stated)
        self._rejects = tally.rejects
        self.done = 0
        self.total = sum(1 for _ in self.definitions())

    def definitions(self) -> Iterator[str]:
        """Definition of every term that has one."""
        return (term["description"] for term in self._terms.values() if term["description"])

    def documents(self, reject: RejectRecord) -> Iterator[Document]:
        """A document a definition, related ones together."""
        for rejected in self._rejects:
            reject(*rejected)
        for key in in_topical_order(self._parents):
            if self._terms[key]["description"]:
                self.done += 1
                yield document_of(self._terms[key])


def document_of(term: dict[str, Any]) -> Document:
    """The document of a term: a row of `graph.schema.NODES`."""
    entry = entry_of([term["name"], *term["aliases"]], term["description"])
    return Document(term["key"], SOURCE, split_sentences([entry]), term["description"])


def _parents(ontology: Ontology, stated: dict[str, str]) -> dict[str, str | None]:
    """The parent of each term; None if it states none, or one that is not there."""
    primary = ontology.primary_ids()
    parents: dict[str, str | None] = {}
    for term in ontology.nodes:
        parent = stated.get(term, "")
        parent = primary.get(parent, parent)
        parents[term] = parent if parent in ontology.nodes else None
    return parents
