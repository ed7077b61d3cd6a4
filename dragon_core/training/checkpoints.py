"""Checkpoints of an unfinished run: each is whole or not there, and a damaged one is passed over.

A checkpoint is a file written by `torch.save` and, renamed into place after it, a record of its SHA-256: the commit.
Frozen parameters, such as the entity table, are not in it.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import torch

from dragon_core.artifacts import file_digest

_NAME = re.compile(r"step-(\d+)\.json")


class Checkpoints:
    """The checkpoints of one run in a folder of their own.

    Attributes:
        folder: Where they lie.
        fingerprint: What the run's data and settings are; checkpoints of another fingerprint are not used.
        kept: How many of the newest are kept.
    """

    def __init__(self, folder: Path, fingerprint: str, kept: int = 2) -> None:
        self.folder = folder
        self.fingerprint = fingerprint
        self.kept = kept
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, step: int, state: dict[str, Any], best: int | None = None) -> None:
        """Write the state after `step` steps, then drop the oldest checkpoints.

        Args:
            step: Steps done.
            state: What `torch.load` gives back with `weights_only`.
            best: Step of the best checkpoint, which is never dropped.
        """
        # What comes after this step was damaged, or the run would have gone on from there.
        for undone in self.steps():
            if undone >= step:
                self._record(undone).unlink()
        data = self._data(step)
        _write(data, lambda path: torch.save(state, path))
        record = {"sha256": file_digest(data), "fingerprint": self.fingerprint}
        _write(self._record(step), lambda path: path.write_text(json.dumps(record), encoding="utf-8"))
        for old in self.steps()[: -self.kept]:
            if old != best:
                self._record(old).unlink()
        self._delete_uncommitted()

    def _delete_uncommitted(self) -> None:
        committed = {path for step in self.steps() for path in (self._record(step), self._data(step))}
        for path in self.folder.iterdir():
            if path not in committed:
                path.unlink()

    def load_latest(self) -> tuple[int, dict[str, Any]] | None:
        """The newest sound checkpoint's step and state; None if there is none."""
        for step in reversed(self.steps()):
            state = self.load(step)
            if state is not None:
                return step, state
        return None

    def load(self, step: int) -> dict[str, Any] | None:
        """The state after `step` steps; None if that checkpoint is not there, or damaged."""
        if not self._is_sound(step):
            return None
        state: dict[str, Any] = torch.load(self._data(step), map_location="cpu", weights_only=True)
        return state

    def steps(self) -> list[int]:
        """Steps of the checkpoints that were committed, ascending; some may be damaged."""
        found = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def _is_sound(self, step: int) -> bool:
        try:
            record = json.loads(self._record(step).read_text(encoding="utf-8"))
            digest = file_digest(self._data(step))
        except (OSError, ValueError):
            return False
        return bool(record == {"sha256": digest, "fingerprint": self.fingerprint})

    def _data(self, step: int) -> Path:
        return self.folder / f"step-{step:08}.pt"

    def _record(self, step: int) -> Path:
        return self.folder / f"step-{step:08}.json"


def _write(target: Path, write: Any) -> None:
    temporary = target.with_name(f".{target.name}.writing")
    write(temporary)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
