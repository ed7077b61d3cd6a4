"""The files of a question set, and the items in them."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dragon_core.artifacts.draft import Tally
from dragon_core.artifacts.identity import is_hidden
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.sources.items import Item
from dragon_core.qa.sources.reader import QuestionReader

GZIPPED = ".gz"


class QuestionFiles(QuestionReader):
    """Reads the files of one question set.

    Attributes:
        root: Its folder.
    """

    def __init__(self, root: Path, tally: Tally) -> None:
        super().__init__(tally)
        self.root = root

    def find(self, names: Sequence[str]) -> list[Path]:
        """The set's files of these names, each perhaps with `.gz` behind it, anywhere below the folder.

        Raises:
            QuestionError: Some are missing, or there are several of one name.
        """
        found = [self._candidates(name) for name in names]
        missing = [name for name, paths in zip(names, found, strict=True) if not paths]
        if missing:
            raise QuestionError(f"{self.root} lacks {', '.join(missing)}; give the folder with the set's own files.")
        for name, paths in zip(names, found, strict=True):
            if len(paths) > 1:
                places = ", ".join(path.relative_to(self.root).as_posix() for path in paths)
                raise QuestionError(f"{self.root} has several files {name}: {places}; give the folder of one of them.")
        return [paths[0] for paths in found]

    def matching(self, pattern: str) -> list[Path]:
        """The files below the folder whose names match a glob, in the order of their paths; not the hidden ones."""
        found = self.root.rglob(pattern)
        return sorted(path for path in found if path.is_file() and not is_hidden(path, self.root))

    def json_lines(self, path: Path) -> Iterator[Item]:
        """The items of a file with a JSON object on each line; blank lines are passed over."""
        for number, line in self._lines(path):
            if not line.strip():
                continue
            self.count(path.name)
            try:
                fields = json.loads(_decoded(number, line))
            except UnicodeDecodeError:
                self.tally.reject(path.name, number, "it is not UTF-8")
            except (ValueError, RecursionError) as error:
                self.tally.reject(path.name, number, f"it is not JSON ({error})")
            else:
                if isinstance(fields, dict):
                    yield Item(path.name, number, fields)
                else:
                    self.tally.reject(path.name, number, "it is no JSON object")

    def count_lines(self, path: Path) -> int:
        """Number of the last line of a file that is not blank."""
        return max((number for number, line in self._lines(path) if line.strip()), default=0)

    def text_lines(self, path: Path) -> list[str]:
        """The lines of a file, stripped.

        Raises:
            QuestionError: It cannot be read.
        """
        try:
            return [_decoded(number, line).strip() for number, line in self._lines(path)]
        except UnicodeDecodeError as error:
            raise QuestionError(f"{path} cannot be read: it is not UTF-8. Get it again.") from error

    def json_object(self, path: Path) -> dict[str, Any]:
        """A file that is one JSON object.

        Raises:
            QuestionError: It is none.
        """
        try:
            value = json.loads(b"".join(line for _, line in self._lines(path)))
        except (ValueError, RecursionError) as error:
            raise QuestionError(f"{path} is not JSON ({error}); check that it is whole.") from error
        if not isinstance(value, dict):
            raise QuestionError(f"{path} is no JSON object; check that it is the right file.")
        return value

    def _candidates(self, name: str) -> list[Path]:
        for path in (self.root / name, self.root / f"{name}{GZIPPED}"):
            if path.is_file():
                return [path]
        return [*self.matching(name), *self.matching(f"{name}{GZIPPED}")]

    def _lines(self, path: Path) -> Iterator[tuple[int, bytes]]:
        try:
            with gzip.open(path) if path.suffix == GZIPPED else path.open("rb") as file:
                yield from enumerate(file, start=1)
        except (EOFError, OSError, zlib.error) as error:
            raise QuestionError(f"{path} cannot be read: {error}. Check that it is whole.") from error


def _decoded(number: int, line: bytes) -> str:
    # Editors of some systems put a mark before the first line.
    return line.decode("utf-8-sig" if number == 1 else "utf-8")
