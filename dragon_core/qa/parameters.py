"""Parameters of fine-tuning."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dragon_core.artifacts import Parameters

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class FineTuningParams(Parameters):
    """How a model is fine-tuned; every arm of a comparison gets the same."""

    train_examples: int | None = Field(
        None, ge=1, description="Questions to train on, drawn by the seed; empty: all of them."
    )
    dev_examples: int | None = Field(
        None, ge=1, description="Questions to choose the best epoch on, likewise; empty: all of them."
    )
    epochs: int = Field(4, ge=1, description="Most passes over the training questions; the best on dev is kept.")
    patience: int = Field(
        2, ge=1, description="Passes without a better one after which a run ends early; frozen ones do not count."
    )
    batch_size: int = Field(8, ge=1, description="Questions of a batch.")
    max_length: int = Field(64, ge=8, description="Longest question and choice in tokens; what is longer is cut.")
    encoder_learning_rate: float = Field(
        1e-4, gt=0, le=1, description="Learning rate of the language model, and of a graph network pretrained with it."
    )
    new_learning_rate: float = Field(1e-3, gt=0, le=1, description="Learning rate of new graph layers and the head.")
    encoder_frozen_epochs: int = Field(
        0, ge=0, description="First passes, in which what was pretrained stays as it is; its warm-up comes after them."
    )
    warmup_share: float = Field(0.1, ge=0, le=1, description="Share of the steps in which the rates rise.")
    weight_decay: float = Field(0.01, ge=0, le=1, description="Weight decay, of all but biases and norms.")
    max_gradient_norm: float = Field(1.0, gt=0, description="Longer gradients are clipped to this length.")

    @model_validator(mode="after")
    def _check_frozen_epochs(self) -> Self:
        if self.encoder_frozen_epochs >= self.epochs:
            raise ValueError(
                f"what was pretrained would learn nothing: encoder_frozen_epochs is {self.encoder_frozen_epochs} of"
                f" {self.epochs} epochs"
            )
        return self


class ArmParams(FineTuningParams):
    """Fine-tuning of one arm with one seed."""

    use_graph: bool = Field(True, description="False: the language model of the checkpoint alone.")
    seed: Seed = Field(0, description="Seed of all that is random.")
