"""Progress of a long stage as a bar in the Prefect UI, beside the lines in the run's log."""

import time
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.exceptions import PrefectException

from dragon_core.artifacts import LoggedProgress


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
