"""Progress of a long stage as lines in the run's log."""

import logging
import time
from dataclasses import dataclass, field


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
    _started: float = field(default_factory=time.monotonic)
    _logged: float = 0.0

    def __call__(self, done: int, total: int, /, **numbers: float) -> None:
        """Log how far it is, the numbers, and the time left."""
        now = time.monotonic()
        if done < total and now - self._logged < self.interval:
            return
        self._logged = now
        details = "".join(f", {name.replace('_', ' ')} {value:.4g}" for name, value in numbers.items())
        self.log.info("%s: %d of %d%s%s", self.label, done, total, details, self._time_left(done, total, now))

    def _time_left(self, done: int, total: int, now: float) -> str:
        if not 0 < done < total:
            return ""
        seconds = round((now - self._started) / done * (total - done))
        return f", {seconds // 60}:{seconds % 60:02} left"
