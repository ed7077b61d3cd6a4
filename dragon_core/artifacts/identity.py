"""What identifies an input of a stage: a reference to an artifact, or the digest of files from outside."""

import hashlib
import json
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from dragon_core.errors import DragonError

KEY_LENGTH = 16


class ArtifactReference(BaseModel):
    """Names an artifact without holding it; this is all that travels between tasks.

    Attributes:
        stage: Name of the stage that makes such artifacts, such as `corpus`.
        key: Hash of everything the artifact is made from, 16 hexadecimal digits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    key: str

    def __str__(self) -> str:
        return f"{self.stage}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the `stage/key` form.

        Raises:
            DragonError: The text has another form.
        """
        stage, separator, key = text.partition("/")
        if not separator or not stage or not key:
            raise DragonError(
                f"{text!r} is not an artifact reference: write STAGE/KEY, such as corpus/1a2b3c4d5e6f7a8b."
            )
        return cls(stage=stage, key=key)


class ExternalFiles(BaseModel):
    """Files that no stage made: a dictionary, a text folder, a pretrained encoder.

    Attributes:
        name: What the files are, for people.
        path: Where they lie on this machine; not part of any key.
        digest: Hash of their relative names and contents; of a single file the contents and the endings of the name.
        pattern: Which files of a folder they are: a glob, relative to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    path: str
    digest: str
    pattern: str = "**/*"

    @property
    def root(self) -> Path:
        """The file or folder."""
        return Path(self.path)

    @classmethod
    def of(cls, name: str, path: Path, pattern: str = "**/*") -> Self:
        """Hash a file, or the files below a folder that match `pattern`.

        Args:
            name: What the files are, for people.
            path: A file or a folder.
            pattern: Glob, relative to the folder; hidden files and folders are left out.

        Raises:
            DragonError: There is no such file or folder, or no file in it matches.
        """
        root = path.expanduser().resolve()
        if root.is_file():
            return cls(name=name, path=str(root), digest=json_digest({"".join(root.suffixes): file_digest(root)}))
        if not root.is_dir():
            raise DragonError(f"{name}: there is no file or folder {path}; give a path that exists.")
        files = [file for file in root.glob(pattern) if file.is_file() and not is_hidden(file, root)]
        if not files:
            raise DragonError(f"{name}: the folder {path} holds no file that matches {pattern!r}; give another folder.")
        digests = {file.relative_to(root).as_posix(): file_digest(file) for file in files}
        try:
            return cls(name=name, path=str(root), digest=json_digest(digests), pattern=pattern)
        except UnicodeEncodeError:
            bad = next(file for file in digests if file != file.encode("utf-8", "replace").decode())
            raise DragonError(f"{name}: the name of the file {bad!r} in {path} is not UTF-8; rename it.") from None


def is_hidden(path: Path, root: Path) -> bool:
    """Whether a file or a folder that it lies in, below `root`, is hidden; such files are no part of any input."""
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's contents, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_digest(value: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
