"""How a long computation tells its caller how far it is, and how that is logged."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Protocol

Log = logging.Logger | logging.LoggerAdapter[logging.Logger]


class Progress(Protocol):
    """Receives (done, total) and numbers worth watching; called as often as is convenient, the receiver throttles."""

    def __call__(self, done: int, total: int, /, **numbers: float) -> None:
        """Report that `done` of `total` units are done; `numbers` are losses, rates and the like."""


def silent(done: int, total: int, /, **numbers: float) -> None:
    """Report to nobody."""


@dataclass
class LoggedProgress:
    """A `Progress` that logs at most one line each `interval` seconds, and the last one always.

    Attributes:
        log: Where the lines go.
        label: What is in progress, such as `mentions`.
        interval: Seconds between two lines.
    """

    log: Log
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
        self.show(done / total if total else 1.0, f"{done} of {total}{details}{self._time_left(done, total, now)}")

    def show(self, share: float, text: str) -> None:
        """Log a line; `share` of the work is done."""
        self.log.info("%s: %s", self.label, text)

    def _time_left(self, done: int, total: int, now: float) -> str:
        first, since = self._first or (0, now)
        if not first < done < total:
            return ""
        seconds = round((now - since) / (done - first) * (total - done))
        return f", {seconds // 60}:{seconds % 60:02} left"
