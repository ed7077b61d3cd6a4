"""What a reader gives: documents, and records that could not be read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

RejectRecord = Callable[[str, int | str, str], None]


@dataclass(frozen=True, slots=True)
class Document:
    """A text with an id.

    Attributes:
        doc_id: Names it within the corpus.
        source: Where it comes from; segments never mix sources.
        sentences: Its text, in order.
        definition: What evaluation may ask about it; empty where there is no such thing. The document of a
            definition that is held out is kept from pretraining, and so is every text that repeats the definition.
    """

    doc_id: str
    source: str
    sentences: list[str]
    definition: str = ""

    @property
    def identity(self) -> str:
        """The text that decides whether the document is held out, and that stands for it then."""
        return self.definition or " ".join(self.sentences)


class CorpusReader(Protocol):
    """Reads the documents of one source, in a fixed order.

    Attributes:
        done: Units read so far, such as bytes.
        total: Units that there are.
    """

    done: int
    total: int

    def definitions(self) -> Iterator[str]:
        """The definitions of all documents that have one."""

    def documents(self, reject: RejectRecord) -> Iterator[Document]:
        """The documents; `reject` is told (source, record, reason) of each record that cannot be read."""
