"""Follows a flow run from outside: its log as it grows, and how it ended."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, Log, State

POLL_SECONDS = 0.5
PAGE = 200
ERROR_LEVEL = 40

# What processes log reaches the server in batches, so that a line can come after later ones.
LATE_LINES = timedelta(seconds=30)

# The engine's last line of a flow run; one that was killed leaves none.
LAST_LINE = "Finished in state"
LAST_LINE_SECONDS = 10.0

# Lines by Prefect itself about its own doings.
ENGINE_LINES = (
    "All deployment steps",
    "Executing deployment step",
    "Deployment step",
    LAST_LINE,
    "Running 1 deployment pull step",
    "Beginning flow run",
    "View at ",
    "Created artifact",
    "Worker '",
    "Flow run '",
)


@dataclass
class RunWatcher:
    """Reads a flow run's log piece by piece.

    Attributes:
        client: Client of the server.
        run_id: Which run.
    """

    client: "SyncPrefectClient"
    run_id: UUID
    _seen: set[UUID] = field(default_factory=set)
    _latest: "Log | None" = None
    _last_line_came: bool = False

    def follow(self, report: Callable[[str], None], check: Callable[[], None]) -> "FlowRun":
        """Report the run's lines until it has ended.

        Args:
            report: Receives each line.
            check: Called at each look at the run; raises if it cannot go on.

        Returns:
            The run, in its final state.
        """
        final_since: float | None = None
        while True:
            run = self.client.read_flow_run(self.run_id)
            for line in self.new_lines():
                report(line)
            if run.state is not None and run.state.is_final():
                final_since = final_since or time.monotonic()
                if self._last_line_came or time.monotonic() - final_since > LAST_LINE_SECONDS:
                    return run
            else:
                check()
            time.sleep(POLL_SECONDS)

    def new_lines(self) -> Iterator[str]:
        """Lines that came since the last call, without Prefect's own and without stack traces."""
        for log in self._new_logs():
            if log.level < ERROR_LEVEL and not log.message.startswith(ENGINE_LINES):
                yield log.message

    def _new_logs(self) -> Iterator["Log"]:
        from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId, LogFilterTimestamp
        from prefect.client.schemas.sorting import LogSort

        since = LogFilterTimestamp(after_=self._latest.timestamp - LATE_LINES) if self._latest else None
        wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[self.run_id]), timestamp=since)
        offset = 0
        while True:
            page = self.client.read_logs(wanted, limit=PAGE, offset=offset, sort=LogSort.TIMESTAMP_ASC)
            for log in page:
                if log.id in self._seen or log.id is None:
                    continue
                self._seen.add(log.id)
                if log.task_run_id is None and log.message.startswith(LAST_LINE):
                    self._last_line_came = True
                if self._latest is None or log.timestamp > self._latest.timestamp:
                    self._latest = log
                yield log
            if len(page) < PAGE:
                return
            offset += PAGE


def cause_of(state: "State | None") -> str:
    """The sentence in a failed run's state, without what Prefect puts before it."""
    message = (state.message if state else None) or "no reason was given"
    message = re.sub(r"^(Flow|Task) run encountered an exception:?\s*", "", message)
    return re.sub(r"^(\w+\.)*\w*(Error|Exception|Exit):\s*", "", message).strip()
