import os
import threading
from collections.abc import Iterator

import pytest

os.environ |= {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


@pytest.fixture(scope="package")
def prefect_server() -> Iterator[None]:
    """A real Prefect server with a database of its own, for flows that run in this process."""
    from prefect.testing.utilities import prefect_test_harness

    # In a process that is forked from one that ran a flow, Prefect's handlers fail at exit: tests of other modules that
    # load data with workers would take these for failed.
    os.register_at_fork(after_in_child=threading._threading_atexits.clear)  # type: ignore[attr-defined]
    with prefect_test_harness(server_startup_timeout=120):
        yield
