"""The flow that pretrains alone, as a program.

python -m tests.flows.pretraining STAGE.json STORE
"""

import sys
from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from dragon_core.training import Pretrain
from flows.stage_runner import run_stage


@flow
def pretrain_alone(stage: Pretrain, store: str) -> str:
    run_stage(stage, store)
    return str(flow_run.get_id())


if __name__ == "__main__":
    pretrain_alone(Pretrain.model_validate_json(Path(sys.argv[1]).read_bytes()), sys.argv[2])
