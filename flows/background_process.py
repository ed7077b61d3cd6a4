"""A process that outlives the shell that started it, found again by a file with its id, start time and address."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from flows.process_family import end_family

# A server closes its database within a second or two; then the process is killed.
STOP_SECONDS = 15.0


class ProcessRecord(BaseModel):
    """Which process it is: ids are used again by the system, an id with its start time is not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    created: float
    api_url: str


@dataclass(frozen=True)
class BackgroundProcess:
    """A process of ours that may be running.

    Attributes:
        folder: Where its record and its log lie.
        name: Names both files.
    """

    folder: Path
    name: str

    @property
    def log_path(self) -> Path:
        """What the process printed since it was started."""
        return self.folder / f"{self.name}.log"

    @property
    def record_path(self) -> Path:
        """The file that says which process it is."""
        return self.folder / f"{self.name}.json"

    @property
    def record(self) -> ProcessRecord | None:
        """The record, if the process it names is still running."""
        try:
            record = ProcessRecord.model_validate_json(self.record_path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        return record if _running(record) is not None else None

    def start(self, module_arguments: Sequence[str], environment: Mapping[str, str], cwd: Path, api_url: str) -> None:
        """Start `python -m MODULE ARGUMENTS...` in a session of its own, so that no shell's end reaches it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", *module_arguments],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        record = ProcessRecord(
            pid=started.pid, created=psutil.Process(started.pid).create_time(), api_url=api_url.rstrip("/")
        )
        draft = self.record_path.with_suffix(".draft")
        draft.write_text(record.model_dump_json(), encoding="utf-8")
        draft.replace(self.record_path)

    def stop(self) -> bool:
        """End the process and those it started; a process that merely has its id now is left alone.

        Returns:
            Whether it was running.
        """
        record = self.record
        process = _running(record) if record else None
        if process is not None:
            end_family(process, STOP_SECONDS)
        self.record_path.unlink(missing_ok=True)
        return process is not None

    def last_words(self, lines: int = 3) -> str:
        """The end of its log, on one line."""
        if not self.log_path.exists():
            return ""
        text = self.log_path.read_text(encoding="utf-8", errors="replace")
        return " / ".join([line.strip() for line in text.splitlines() if line.strip()][-lines:])


def _running(record: ProcessRecord) -> psutil.Process | None:
    try:
        process = psutil.Process(record.pid)
        same = process.create_time() == record.created and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if same else None
