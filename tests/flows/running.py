"""Runs the project's programs as a user does, with a home of their own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# What would make the programs act for somebody else: other servers, or the make that runs these tests.
FOREIGN = ("PREFECT_", "DRAGON_", "PYTEST_", "MAKE", "MFLAGS")


@dataclass(frozen=True)
class User:
    """Somebody at a shell in a project folder.

    Attributes:
        folder: The project.
        home: The user's home, empty at first.
        port: Free when the user came; the project's server gets it.
        variables: More of the user's environment.
    """

    folder: Path
    home: Path
    port: int
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        ours = {
            "HOME": str(self.home),
            "DO_NOT_TRACK": "1",
            "DRAGON_PREFECT_PORT": str(self.port),
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "1",
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
        }
        return kept | ours | dict(self.variables)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `dragon ...` or `prefect ...`."""
        program = Path(sys.executable).parent / command[0]
        return subprocess.run(
            [program, *command[1:]],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )


def eventually(look: Callable[[], T], is_there: Callable[[T], bool] = bool, seconds: float = 90) -> T:
    """What `look` finds as soon as it is there, or what it found last when the time is up.

    Prefect's server learns of task runs and events by and by.
    """
    deadline = time.monotonic() + seconds
    while not is_there(found := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
