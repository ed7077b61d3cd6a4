"""A program that fine-tunes, to be killed.

python -m tests.qa.fine_tuning_program STAGE.json STORE
"""

import sys
from pathlib import Path

import torch

from dragon_core.artifacts import ArtifactStore, make
from dragon_core.qa import FineTune


def main(stage: str, store: str) -> None:
    """Fine-tune and print a line a step."""

    def progress(done: int, total: int, /, **numbers: float) -> None:
        print(done, flush=True)

    torch.set_num_threads(1)
    make(FineTune.model_validate_json(Path(stage).read_bytes()), ArtifactStore(store), progress)


if __name__ == "__main__":
    main(*sys.argv[1:])
