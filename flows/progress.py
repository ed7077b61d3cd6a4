"""Progress of a long stage as lines in the run's log."""

import logging
import math
import time
from dataclasses import dataclass


@dataclass
class LoggedProgress:
    """A `dragon_core.artifacts.Progress` that logs at most one line each `interval` seconds, and the last one always.

    Attributes:
        log: The run's logger.
        label: What is in progress, such as `mentions`.
        interval: Seconds between two lines.
    """

    log: "logging.Logger | logging.LoggerAdapter[logging.Logger]"
    label: str
    interval: float = 5.0
    _first: tuple[int, float] | None = None
    _last: tuple[int, float] = (-1, -math.inf)

    def __call__(self, done: int, total: int, /, **numbers: float) -> None:
        """Log how far it is, the numbers, and the time left."""
        now = time.monotonic()
        # What was done before the first call took the time of loading, or was done by an earlier run.
        self._first = self._first or (done, now)
        logged, logged_at = self._last
        if done == logged or (done < total and now - logged_at < self.interval):
            return
        self._last = done, now
        details = "".join(f", {name.replace('_', ' ')} {value:.4g}" for name, value in numbers.items())
        self.log.info("%s: %d of %d%s%s", self.label, done, total, details, self._time_left(done, total, now))

    def _time_left(self, done: int, total: int, now: float) -> str:
        first, since = self._first or (0, now)
        if not first < done < total:
            return ""
        seconds = round((now - since) / (done - first) * (total - done))
        return f", {seconds // 60}:{seconds % 60:02} left"
