"""The program that pretrains in processes of its own, whose memory and threads are gone with them.

    python -m dragon_core.training.worker STAGE.json STORE_URL
    python -m torch.distributed.run --standalone --nproc-per-node N -m dragon_core.training.worker STAGE.json STORE_URL

`STAGE.json` is a `Pretrain` as JSON. Each line of stdout is a JSON object, `{"done", "total", "numbers"}` for progress
or `{"error"}` for the sentence of the failure that ends it; all else that is printed goes to stderr. If its stdin is a
pipe, it ends when whoever holds the other end does.
"""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate.state import is_initialized
from torch.distributed.elastic.multiprocessing.errors import record
from transformers.utils.logging import disable_progress_bar

from dragon_core.artifacts import ArtifactStore, make
from dragon_core.child_process import end_with_parent, take_stdout
from dragon_core.errors import DragonError
from dragon_core.training.errors import TrainingError
from dragon_core.training.stage import Pretrain

logger = logging.getLogger("dragon_core.training.worker")


# Else `torch.distributed.run` says of a fault of the program only that there was one.
@record
def main(stage_path: str, store_url: str) -> None:
    """Pretrain, as one of `WORLD_SIZE` processes: that of `RANK` 0 makes the artifact, the others join it.

    Args:
        stage_path: A file with the stage as JSON.
        store_url: Where its inputs lie, and its artifact will.
    """
    end_with_parent()
    reports = take_stdout()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("dragon_core").setLevel(logging.INFO)
    disable_progress_bar()
    rank, world_size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    stage = Pretrain.model_validate_json(Path(stage_path).read_bytes())
    store = ArtifactStore(store_url)

    def report(**message: Any) -> None:
        print(json.dumps(message), file=reports, flush=True)

    def progress(done: int, total: int, /, **numbers: float) -> None:
        report(done=done, total=total, numbers=numbers)

    threads = torch.get_num_threads()
    logger.info("Process %d pretrains (%d of %d, threads: %d)", os.getpid(), rank + 1, world_size, threads)
    try:
        if rank == 0:
            made = make(stage, store, progress)
            if world_size > 1 and not is_initialized():
                # This one did not train, and others may wait for it to train with them.
                raise TrainingError(f"{made.reference} is there already: another run made it, and it can be used.")
        elif store.find(stage) is None:
            stage.join(store.inputs(stage), store.scratch(stage.reference))
    except DragonError as error:
        report(error=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
