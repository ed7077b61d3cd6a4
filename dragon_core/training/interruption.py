"""SIGTERM, which a preempted machine or a cancelled run sends: a run that gets it saves a checkpoint before it ends."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Interruption:
    """Within it, SIGTERM is only remembered; after it, the signal takes its usual course.

    Only the main thread can take signals; in another thread nothing is remembered.

    Attributes:
        requested: Whether the signal came.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None
        self._is_watching = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._is_watching:
            self._previous = signal.signal(signal.SIGTERM, self._remember)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_watching:
            signal.signal(signal.SIGTERM, self._previous)
        if self.requested:
            os.kill(os.getpid(), signal.SIGTERM)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
