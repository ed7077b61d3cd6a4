"""Progress of a long stage, as lines in the run's log and as a bar in the Prefect UI."""

import logging
import math
import time
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.exceptions import PrefectException

RunLog = logging.Logger | logging.LoggerAdapter[logging.Logger]


@dataclass
class LoggedProgress:
    """A `dragon_core.artifacts.Progress` that logs at most one line each `interval` seconds, and the last one always.

    Attributes:
        log: The run's logger.
        label: What is in progress, such as `mentions`.
        interval: Seconds between two lines.
    """

    log: RunLog
    label: str
    interval: float = 5.0
    _first: tuple[int, float] | None = None
    _last: tuple[int, float] = (-1, -math.inf)

    def __call__(self, done: int, total: int, /, **numbers: float) -> None:
        """Show how far it is, the numbers, and the time left, if it is time for a line."""
        now = time.monotonic()
        # What was done before the first call took the time of loading, or was done by an earlier run.
        self._first = self._first or (done, now)
        shown, shown_at = self._last
        if done == shown or (done < total and now - shown_at < self.interval):
            return
        self._last = done, now
        details = "".join(f", {name.replace('_', ' ')} {value:.4g}" for name, value in numbers.items())
        self.show(done / total, f"{done} of {total}{details}{self._time_left(done, total, now)}")

    def show(self, share: float, text: str) -> None:
        """Log a line; `share` of the work is done."""
        self.log.info("%s: %s", self.label, text)

    def _time_left(self, done: int, total: int, now: float) -> str:
        first, since = self._first or (0, now)
        if not first < done < total:
            return ""
        seconds = round((now - since) / (done - first) * (total - done))
        return f", {seconds // 60}:{seconds % 60:02} left"


@dataclass
class ProgressBar(LoggedProgress):
    """Logs, and keeps an artifact of the current task run up to date that the UI draws as a bar.

    Attributes:
        key: Names the artifact.
    """

    key: str = "progress"
    _artifact: UUID | None = None

    def show(self, share: float, text: str) -> None:
        """Log a line and put it below the bar."""
        super().show(share, text)
        try:
            if self._artifact is None:
                created = create_progress_artifact(100 * share, key=self.key, description=text)
                self._artifact = cast(UUID, created)
            else:
                update_progress_artifact(self._artifact, 100 * share, description=text)
        except (httpx.HTTPError, PrefectException) as error:
            # The work goes on without the server; what it reported while we waited in vain is to be read first.
            self._last = self._last[0], time.monotonic()
            self.log.warning("The bar of %s is not up to date: %s", self.label, error)
