"""Parameters of pretraining; they show as a form."""

from typing import Literal, Self

from pydantic import Field, model_validator

from dragon_core.artifacts import Parameters


class TrainingParams(Parameters):
    """How the model is built and pretrained."""

    steps: int = Field(600, ge=1, description="Optimizer steps.")
    batch_size: int = Field(16, ge=1, description="Examples of a batch.")
    gradient_accumulation: int = Field(1, ge=1, description="Batches of an optimizer step.")
    max_length: int = Field(128, ge=8, description="Longest text in tokens; the rest of a text is cut off.")
    encoder_learning_rate: float = Field(2e-4, gt=0, le=1, description="Learning rate of the pretrained encoder.")
    new_learning_rate: float = Field(1e-3, gt=0, le=1, description="Learning rate of the graph layers and new heads.")
    warmup_steps: int = Field(60, ge=0, description="Steps until the learning rates are at their full values.")
    weight_decay: float = Field(0.01, ge=0, le=1, description="Weight decay, of all but biases and norms.")
    max_gradient_norm: float = Field(1.0, gt=0, description="Longer gradients are clipped to this length.")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="Precision of the computation.")
    num_fusion_layers: int = Field(
        2, ge=-1, description="How many of the last layers are fused with a graph layer; -1: the language model alone."
    )
    interaction: Literal["every", "every-other", "none", "once"] = Field(
        "every", description="Where text and graph exchange information; once: the text enters the graph at its start."
    )
    node_size: int = Field(96, ge=8, description="Width of a node in the graph layers.")
    graph_as_text: bool = Field(
        False, description="Tell the subgraph's triples as sentences after the text, as far as there is room."
    )
    interaction_size: int = Field(200, ge=1, description="Hidden size of the exchange between text and graph.")
    graph_dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of the graph layers and the entity vectors.")
    link_decoder: Literal["distmult", "transe", "rotate"] = Field(
        "distmult", description="Score function of link prediction."
    )
    mask_share: float = Field(0.15, ge=0, lt=1, description="Share of a text's tokens to predict; 0: no masked LM.")
    max_link_targets: int = Field(100, ge=0, description="Most edges to hold out of a subgraph; 0: no link prediction.")
    link_target_share: float = Field(0.15, ge=0, lt=1, description="Largest share of a subgraph's edges to hold out.")
    num_negatives: int = Field(32, ge=2, multiple_of=2, description="Corrupted edges a held-out edge.")
    evaluation_share: float = Field(0.01, gt=0, lt=1, description="Share of the segments kept to evaluate on.")
    evaluation_interval: int = Field(200, ge=1, description="Steps between evaluations.")
    checkpoint_interval: int = Field(100, ge=1, description="Steps between checkpoints of the unfinished run.")
    log_interval: int = Field(10, ge=1, description="Steps between reports of progress.")
    # A thread of ours makes the scheduler put both of two OpenMP threads on one core for seconds: a loss without a GPU.
    prefetched_batches: int = Field(
        0, ge=0, description="Batches prepared ahead in a thread, for use with a GPU; 0: in the main thread."
    )
    num_threads: int = Field(0, ge=0, description="Threads of the computation; 0: as many as PyTorch chooses.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of all that is random.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.warmup_steps > self.steps:
            raise ValueError(f"warmup_steps is {self.warmup_steps}, more than the {self.steps} steps")
        if not self.mask_share and (not self.max_link_targets or self.num_fusion_layers < 0):
            raise ValueError("mask_share is 0 and there is no link prediction, so there is nothing to train")
        return self
