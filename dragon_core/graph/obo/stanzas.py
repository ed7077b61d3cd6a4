"""Splits an OBO file into its stanzas, and parses each by itself, so that a bad one spoils no other."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastobo

from dragon_core.artifacts.draft import Tally
from dragon_core.graph.errors import GraphError
from dragon_core.graph.text_stream import REPLACEMENT, open_utf8

HEADER = ""


@dataclass(frozen=True)
class Stanza:
    """A part of the file.

    Attributes:
        kind: What stands in its brackets, such as `Term`; `HEADER` for the part before the first stanza.
        line: Number of its first line, from 1.
        text: Its lines, each ending in a line feed.
    """

    kind: str
    line: int
    text: str


def read_frames(path: Path, tally: Tally) -> Iterator[tuple[int, Any]]:
    """Parse a file stanza by stanza.

    Args:
        path: The file, possibly compressed.
        tally: Takes the count `records`, which is of stanzas, and as rejects the stanzas that cannot be parsed.

    Yields:
        The number of the first line and the frame, as fastobo has it: of the header, of the terms and the typedefs.

    Raises:
        GraphError: The file cannot be uncompressed, or has no stanza.
    """
    count = 0
    for stanza in split_stanzas(path):
        if stanza.kind != HEADER:
            count += 1
            tally.count(records=1)
        frame = _frame(stanza, path, tally)
        if frame is not None:
            yield stanza.line, frame
    if not count:
        raise GraphError(f"{path} holds no stanza such as [Term]; give a file in the OBO format.")


def split_stanzas(path: Path) -> Iterator[Stanza]:
    """The header and the stanzas of a file, whatever ends its lines.

    Raises:
        GraphError: The file cannot be uncompressed.
    """
    kind, first, lines = HEADER, 1, list[str]()
    try:
        with io.TextIOWrapper(open_utf8(path), encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if line.startswith("["):
                    yield Stanza(kind, first, "".join(lines))
                    kind, first, lines = line[1:].partition("]")[0].strip(), number, []
                    line = f"[{kind}]\n"
                # The parser breaks down at lines of comment; empty ones keep the numbers of the others.
                is_comment = line.lstrip().startswith("!")
                lines.append("\n" if is_comment else line if line.endswith("\n") else f"{line}\n")
    except OSError as error:
        raise GraphError(f"{path} cannot be read: {error}. Check that it is whole.") from error
    yield Stanza(kind, first, "".join(lines))


def _frame(stanza: Stanza, path: Path, tally: Tally) -> Any:
    """The parsed stanza; None if it cannot be parsed, or is neither header nor term nor typedef."""
    if stanza.kind not in (HEADER, "Term", "Typedef"):
        return None
    if REPLACEMENT in stanza.text:
        tally.reject(path.name, stanza.line, "it is not UTF-8")
        return None
    try:
        # One thread: starting more takes longer than parsing a stanza.
        document = fastobo.loads(stanza.text, threads=1)
    except SyntaxError as error:
        reason = f"it is no OBO: {error.msg}, found {(error.text or '').strip()[:80]!r}"
        tally.reject(path.name, stanza.line + (error.lineno or 1) - 1, reason)
        return None
    return document.header if stanza.kind == HEADER else document[0]
