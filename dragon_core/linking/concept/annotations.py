"""Annotated documents: texts whose mentions people have marked and linked, in the PubTator text format.

The format: lines `id|t|title` and `id|a|abstract`, then one tab-separated line a mention with the id, start, end,
mention, type and concept ids; an empty line ends a document. Offsets count characters of `title + " " + abstract`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from dragon_core.linking.errors import LinkingError

TEXT_LINE = re.compile(r"([^|\t]+)\|([ta])\|(.*)")
ID_SEPARATOR = re.compile(r"[|+,;]")
FIELDS = 6


@dataclass(frozen=True)
class Annotation:
    """A marked span.

    Attributes:
        start: First character.
        end: Character after the last.
        nodes: Nodes it names, none where its concept is not in the graph; several for a composite mention.
    """

    start: int
    end: int
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class AnnotatedDocument:
    """A text and its marked spans, sorted.

    Attributes:
        key: Its id in the source.
        text: Title, a space, abstract.
        annotations: The spans.
    """

    key: str
    text: str
    annotations: tuple[Annotation, ...]


def read_pubtator(path: Path, nodes: Mapping[str, int]) -> Iterator[AnnotatedDocument]:
    """Documents of a PubTator file.

    Args:
        path: The file.
        nodes: Node of each concept id; an id is looked up as written, then without a prefix such as `MESH:`.

    Raises:
        LinkingError: The file cannot be read, a line is neither text nor annotation, or a mention is not what the text
            has there.
    """
    try:
        yield from _documents(path, nodes)
    except (OSError, UnicodeDecodeError) as error:
        raise LinkingError(
            f"{path} cannot be read as annotated documents ({error}); give a PubTator text file in UTF-8."
        ) from error


def _documents(path: Path, nodes: Mapping[str, int]) -> Iterator[AnnotatedDocument]:
    """The documents, one by one."""
    key = ""
    parts: list[str] = []
    annotations: list[Annotation] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(chain(lines, [""]), 1):
            line = line.rstrip("\r\n")
            if match := TEXT_LINE.fullmatch(line):
                if parts and match[1] != key:
                    raise LinkingError(
                        f"{path}:{number} begins {match[1]} within {key}; put an empty line between them."
                    )
                key = match[1]
                parts.append(match[3])
            elif line.strip():
                annotations.append(_annotation(line.split("\t"), " ".join(parts), nodes, f"{path}:{number}"))
            elif parts:
                yield AnnotatedDocument(
                    key, " ".join(parts), tuple(sorted(annotations, key=lambda a: (a.start, a.end)))
                )
                parts, annotations = [], []


def _annotation(fields: list[str], text: str, nodes: Mapping[str, int], place: str) -> Annotation:
    if len(fields) < FIELDS - 1 or not (fields[1].isdigit() and fields[2].isdigit()):
        raise LinkingError(
            f"{place} is neither a line `id|t|text` or `id|a|text` nor a mention of id, start, end, text, type and"
            " concept, separated by tabs; mend or remove it."
        )
    start, end = int(fields[1]), int(fields[2])
    if not start < end <= len(text):
        raise LinkingError(f"{place}: the mention {start}-{end} is not in the text of {len(text)} characters; mend it.")
    # Some mentions end with spaces that the text does not have.
    if text[start:end].split() != fields[3].split():
        raise LinkingError(
            f"{place}: the text has {text[start:end]!r} at {start}-{end}, and the mention is {fields[3]!r}; mend the"
            " offsets."
        )
    ids = [part.strip() for part in ID_SEPARATOR.split("" if len(fields) < FIELDS else fields[5])]
    found = (nodes.get(part, nodes.get(part.split(":", 1)[-1])) for part in ids if part)
    return Annotation(start, end, tuple(dict.fromkeys(node for node in found if node is not None)))


def annotated_names(documents: Iterable[AnnotatedDocument]) -> Counter[tuple[str, int]]:
    """How often documents mention a node by a text; a composite mention counts for each of its nodes."""
    return Counter(
        (document.text[annotation.start : annotation.end], node)
        for document in documents
        for annotation in document.annotations
        for node in annotation.nodes
    )
