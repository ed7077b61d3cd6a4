"""A project folder as a user has one, with small flows of its own in place of the real ones."""

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

FLOWS = """
from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dragon_core.errors import DragonError


class Training(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(5, ge=1, le=100, description="How many steps.")
    warmup: int = Field(0, ge=0, description="How many of them warm up.")

    @model_validator(mode="after")
    def _warmup_fits(self):
        if self.warmup > self.steps:
            raise ValueError("warmup is longer than the training")
        return self


@flow
def rehearse(training: Training = Training(), store: str = ".dragon/store", fail: bool = False) -> None:
    get_run_logger().info("step %d of %d", training.steps, training.steps)
    if fail:
        raise DragonError("The encoder nowhere is not there; install one.")
    create_markdown_artifact(key="result", markdown="| segments |\\n| ---: |\\n| 12 |")


@flow
def evaluate(checkpoint: str, questions: int = 10) -> None:
    pass


def no_flow() -> None:
    pass
"""

PIPELINES = """\
deployments:
  - name: rehearse-general
    entrypoint: steps/stages.py:rehearse
    parameters:
      training:
        steps: 3
    work_pool:
      name: dragon
"""


def write_project(folder: Path, pipelines: str = PIPELINES) -> Path:
    """A project with the flows above and the given deployments."""
    (folder / "steps").mkdir(parents=True, exist_ok=True)
    (folder / "steps" / "stages.py").write_text(FLOWS, encoding="utf-8")
    (folder / "pipelines.yaml").write_text(pipelines, encoding="utf-8")
    shutil.copy(REPOSITORY / "prefect.toml", folder)
    return folder
