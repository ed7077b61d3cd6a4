"""Runs the project's programs as a user does, with a home of their own."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOREIGN = ("PREFECT_", "DRAGON_", "PYTEST_")


@dataclass(frozen=True)
class User:
    """Somebody at a shell in a project folder.

    Attributes:
        folder: The project.
        home: The user's home, empty at first.
        port: Free when the user came; the project's server gets it.
    """

    folder: Path
    home: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return kept | {
            "HOME": str(self.home),
            "DO_NOT_TRACK": "1",
            "DRAGON_PREFECT_PORT": str(self.port),
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "1",
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
        }

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
