"""Parameters of pretraining; they show as a form."""

from typing import Literal, Self

from pydantic import Field, model_validator

from dragon_core.artifacts import Parameters


class ModelParams(Parameters):
    """How a model is built over a pretrained language model."""

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
    text_vector: Literal["first", "mean"] = Field(
        "first",
        description="What speaks for a text: its first token, or the mean of its tokens, as in encoders of sentences.",
    )
    relevance_readout: bool = Field(
        True, description="Whether answers are chosen by the relevance of the nodes, too, and how they are connected."
    )
    graph_dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of the graph layers and the entity vectors.")
    link_decoder: Literal["distmult", "complex", "transe", "rotate"] = Field(
        "distmult", description="Score function of link prediction."
    )


class TrainingParams(ModelParams):
    """How the model is built and pretrained."""

    steps: int = Field(600, ge=1, description="Optimizer steps.")
    batch_size: int = Field(16, ge=1, description="Most examples of a batch, of all processes together.")
    batch_tokens: int | None = Field(
        65_536, ge=1, description="Most tokens of a batch, padding included; an example that has more is a batch alone."
    )
    batch_edges: int | None = Field(262_144, ge=1, description="Most KG edges of a batch, likewise.")
    gradient_accumulation: int = Field(1, ge=1, description="Batches of an optimizer step.")
    max_length: int = Field(128, ge=8, description="Longest text in tokens; the rest of a text is cut off.")
    encoder_learning_rate: float = Field(
        2e-4, ge=0, le=1, description="Learning rate of the pretrained encoder; 0: it stays as it is."
    )
    new_learning_rate: float = Field(1e-3, gt=0, le=1, description="Learning rate of the graph layers and new heads.")
    encoder_frozen_steps: int = Field(
        0, ge=0, description="First steps, in which the encoder's learning rate is 0; its warm-up comes after them."
    )
    warmup_steps: int = Field(60, ge=0, description="Steps in which the learning rates rise to their full values.")
    schedule: Literal["linear", "cosine", "constant"] = Field(
        "linear", description="How the learning rates fall to 0 after the warm-up; constant: they do not."
    )
    weight_decay: float = Field(0.01, ge=0, le=1, description="Weight decay, of all but biases and norms.")
    max_gradient_norm: float = Field(1.0, gt=0, description="Longer gradients are clipped to this length.")
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="Precision of the computation; float16 needs a GPU."
    )
    masking: Literal["words", "spans"] = Field("words", description="Mask whole words, or spans of whole words.")
    mask_share: float = Field(0.15, ge=0, lt=1, description="Share of a text's tokens to predict; 0: no masked LM.")
    max_link_targets: int = Field(100, ge=0, description="Most edges to hold out of a subgraph; 0: no link prediction.")
    link_target_share: float = Field(0.15, ge=0, lt=1, description="Largest share of a subgraph's edges to hold out.")
    num_negatives: int = Field(32, ge=2, multiple_of=2, description="Corrupted edges a held-out edge.")
    negatives: Literal["any", "relation-aware", "published"] = Field(
        "any",
        description="Which nodes of the subgraph stand in corrupted edges: any that makes no true edge; relation-aware:"
        " of these such as the relation has at that end elsewhere; published: any, while the inverse of a held-out edge"
        " stays in the input, as in the published code.",
    )
    evaluation_share: float = Field(0.01, gt=0, lt=1, description="Share of the segments kept to evaluate on.")
    max_evaluation_segments: int = Field(10_000, ge=1, description="Most segments kept to evaluate on.")
    evaluation_interval: int = Field(200, ge=1, description="Steps between evaluations.")
    kept_model: Literal["best", "last"] = Field(
        "best", description="The model that is kept: that of the evaluation with the least loss, or of the last step."
    )
    log_interval: int = Field(10, ge=1, description="Steps between reports of progress, which become the curves.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of all that is random.")

    @property
    def predicts_links(self) -> bool:
        """Whether there is link prediction."""
        return self.max_link_targets > 0 and self.num_fusion_layers >= 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.encoder_frozen_steps and not self.encoder_learning_rate:
            raise ValueError(
                "with encoder_learning_rate 0 the encoder is always frozen: leave out encoder_frozen_steps"
            )
        if self.encoder_frozen_steps + self.warmup_steps > self.steps:
            raise ValueError(
                f"encoder_frozen_steps {self.encoder_frozen_steps} and warmup_steps {self.warmup_steps} are more than"
                f" the {self.steps} steps"
            )
        if not self.mask_share and not self.predicts_links:
            raise ValueError("mask_share is 0 and there is no link prediction, so there is nothing to train")
        return self


class Execution(Parameters):
    """How pretraining is carried out; in no key.

    It changes the result by rounding alone; except that several processes draw other random numbers for dropout.
    """

    num_processes: int = Field(1, ge=1, description="Processes that share every batch, one a GPU.")
    strategy: Literal["ddp", "fsdp"] = Field(
        "ddp", description="ddp: each process holds the whole model; fsdp: each a part of weights and optimizer."
    )
    num_threads: int = Field(0, ge=0, description="Threads of a process; 0: the cores, divided by the processes.")
    gradient_checkpointing: bool = Field(
        False, description="Compute the language model's layers again in the backward pass, to save memory."
    )
    compile: bool = Field(False, description="Compile the model with torch.compile.")
    loader_workers: int | None = Field(
        None, ge=0, description="Processes that prepare batches ahead; 0: none; empty: 2 with a GPU, else none."
    )
    checkpoint_interval: int = Field(100, ge=1, description="Steps between checkpoints of the unfinished run.")
    kept_checkpoints: int = Field(2, ge=1, description="How many of the newest checkpoints are kept, beside the best.")
    trackers: tuple[Literal["tensorboard", "wandb"], ...] = Field((), description="What else the curves are sent to.")
    tracking_folder: str = Field(".dragon/tracking", description="Where the trackers keep their files.")
