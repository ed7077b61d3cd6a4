"""Packs documents into segments of at most a given number of words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dragon_core.corpus.documents import Document


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive sentences of one source.

    Attributes:
        source: Where they come from.
        sentences: (doc_id, sentence) in order.
    """

    source: str
    sentences: list[tuple[str, str]]

    @property
    def text(self) -> str:
        """The sentences with a space between them."""
        return " ".join(sentence for _, sentence in self.sentences)

    @property
    def doc_ids(self) -> list[str]:
        """Ids of its documents, each once, in order."""
        return list(dict.fromkeys(doc_id for doc_id, _ in self.sentences))


def pack(documents: Iterable[Document], words_per_segment: int) -> Iterator[Segment]:
    """Fill segments with the sentences of consecutive documents of a source.

    A sentence that does not fit begins the next segment; it is cut only if it alone passes the limit. Every word (a run
    of characters without white space) comes to stand in exactly one segment, in the order of the documents.

    Args:
        documents: The documents.
        words_per_segment: Most words a segment may have.
    """
    source, sentences, size = "", list[tuple[str, str]](), 0
    for document in documents:
        for words in _pieces(document, words_per_segment):
            if sentences and (size + len(words) > words_per_segment or document.source != source):
                yield Segment(source, sentences)
                sentences, size = [], 0
            source = document.source
            sentences.append((document.doc_id, " ".join(words)))
            size += len(words)
    if sentences:
        yield Segment(source, sentences)


def _pieces(document: Document, limit: int) -> Iterator[list[str]]:
    for sentence in document.sentences:
        words = sentence.split()
        for start in range(0, len(words), limit):
            yield words[start : start + limit]
