"""A folder of text files as a corpus: `.txt` and `.jsonl`, each also gzipped (`.gz`), below any subfolders.

In a text file a blank line ends a document, so that paragraphs, and one sentence a line with a blank line between
documents, are both read as meant. In a JSON Lines file each line is an object whose field `text` is a document. Files
are streamed: memory does not grow with their size.
"""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from dragon_core.artifacts.identity import is_hidden
from dragon_core.corpus.documents import Document, RejectRecord
from dragon_core.corpus.errors import EmptyCorpusError

SUFFIXES = (".txt", ".jsonl", ".txt.gz", ".jsonl.gz")

_CLOSING = r"""["'\u201d\u2019)\]]*"""
_SENTENCE_END = re.compile(rf"""[.!?]{_CLOSING}(\s+)(?=["'\u201c\u2018(\[]?[A-Z0-9])""")
_ENDED_LINE = re.compile(rf"[.!?]{_CLOSING}$")


class TextReader:
    """Reads the text files below a folder, in the order of their paths.

    Attributes:
        done: Bytes of the files read so far, as they lie on the disk.
        total: Bytes of all files.
    """

    def __init__(self, root: Path, max_record_bytes: int) -> None:
        self._root = root if root.is_dir() else root.parent
        visible = (path for path in root.rglob("*") if not is_hidden(path, root))
        candidates = sorted(visible) if root.is_dir() else [root]
        self._files = [path for path in candidates if path.name.endswith(SUFFIXES) and path.is_file()]
        if not self._files:
            raise EmptyCorpusError(
                f"{root} holds no {', '.join(SUFFIXES)} file; give a folder with text in such files."
            )
        self._max_record_bytes = max_record_bytes
        self.done = 0
        self.total = sum(path.stat().st_size for path in self._files)

    def definitions(self) -> Iterator[str]:
        """None: running text defines nothing."""
        return iter(())

    def documents(self, reject: RejectRecord) -> Iterator[Document]:
        """The documents of all files."""
        finished = 0
        for path in self._files:
            size = path.stat().st_size
            name = path.relative_to(self._root).as_posix()
            if size == 0:
                reject(name, 1, "the file is empty")
            with path.open("rb") as raw:
                try:
                    for document in self._documents_of(raw, name, reject):
                        self.done = finished + raw.tell()
                        yield document
                except (EOFError, OSError, zlib.error) as error:
                    reject(name, "rest of the file", f"it cannot be decompressed ({error})")
            finished += size
            self.done = finished

    def _documents_of(self, raw: io.BufferedIOBase, name: str, reject: RejectRecord) -> Iterator[Document]:
        file = gzip.GzipFile(fileobj=raw) if name.endswith(".gz") else raw
        lines = _lines(file, name, self._max_record_bytes, reject)
        records = (
            _paragraphs(lines, self._max_record_bytes) if ".txt" in name[-7:] else _json_texts(lines, name, reject)
        )
        for number, text_lines in records:
            sentences = split_sentences(text_lines)
            if sentences:
                yield Document(f"{name}:{number}", name, sentences)
            else:
                reject(name, number, "it has no text")


def split_sentences(lines: list[str]) -> list[str]:
    """Divide text into sentences with single spaces: after `.`, `!` or `?` at a line's end or before a capital."""
    sentences: list[str] = []
    pending: list[str] = []
    for line in lines:
        pending.append(line)
        if _ENDED_LINE.search(line.rstrip()):
            sentences += _split_line(" ".join(pending))
            pending = []
    sentences += _split_line(" ".join(pending))
    normalised = (" ".join(sentence.split()) for sentence in sentences)
    return [sentence for sentence in normalised if sentence]


def _split_line(text: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield text[start : end.start(1)]
        start = end.end()
    yield text[start:]


def _lines(file: io.BufferedIOBase, name: str, max_bytes: int, reject: RejectRecord) -> Iterator[tuple[int, str]]:
    """Numbered lines, from 1; one that is too long or not UTF-8 is rejected."""
    number = 0
    while raw := file.readline(max_bytes + 1):
        number += 1
        if len(raw) > max_bytes and not raw.endswith(b"\n"):
            while (rest := file.readline(max_bytes)) and not rest.endswith(b"\n"):
                pass
            reject(name, number, f"it is longer than {max_bytes} bytes")
            continue
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            reject(name, number, f"it is not UTF-8 (byte {error.start}: {error.reason})")


def _paragraphs(lines: Iterator[tuple[int, str]], max_bytes: int) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines up to a blank one, with the first one's number; a very long run is several."""
    first, run, size = 0, list[str](), 0
    for number, line in lines:
        if run and (not line.strip() or size + len(line) > max_bytes):
            yield first, run
            run, size = [], 0
        if line.strip():
            first = first if run else number
            run.append(line)
            size += len(line)
    if run:
        yield first, run


def _json_texts(lines: Iterator[tuple[int, str]], name: str, reject: RejectRecord) -> Iterator[tuple[int, list[str]]]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
            text.encode()
        except (KeyError, TypeError, AttributeError):
            reject(name, number, 'it is not a JSON object with a string "text"')
        except UnicodeEncodeError:
            reject(name, number, "its text holds half a surrogate pair")
        except (ValueError, RecursionError) as error:
            reject(name, number, f"it is not JSON ({error})")
        else:
            yield number, text.splitlines()
