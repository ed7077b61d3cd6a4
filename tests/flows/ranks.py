"""A program that does as `dragon_core.training.worker` does, but trains nothing.

python -m tests.flows.ranks FOLDER KIND
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from dragon_core.child_process import end_with_parent, take_stdout


def main(folder: str, kind: str) -> None:
    """Leave a file with the number of threads, named by rank and process, and end in some way, or not by itself."""
    end_with_parent()
    reports = take_stdout()
    if kind == "ignore SIGTERM":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    rank = int(os.environ.get("RANK", "0"))
    print("noise", flush=True)
    draft = Path(folder) / f"draft-{rank}"
    draft.write_text(os.environ.get("OMP_NUM_THREADS", "unset"))
    draft.rename(Path(folder) / f"rank-{rank}.{os.getpid()}")
    if rank == 0:
        print(json.dumps({"done": 1, "total": 2, "numbers": {"loss": 0.5}}), file=reports, flush=True)
    if kind == "end":
        return
    match kind if rank == 0 else "wait":
        case "fail":
            raise RuntimeError("the disk is gone")
        case "report an error":
            print(json.dumps({"error": "There is no graph; make one."}), file=reports, flush=True)
            sys.exit(1)
        case "be killed":
            os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
