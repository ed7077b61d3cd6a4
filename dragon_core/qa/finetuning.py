"""The stage that fine-tunes a model on questions and lets it answer others.

The model is a pretrained one of ours, or a plain language model; with its graph, or the language model alone. So
baselines are the same code with the same steps and settings.
"""

import copy
import math
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from accelerate.utils import send_to_device
from pydantic import Field, model_validator
from transformers import AutoTokenizer

from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Parameters, Progress, Stage
from dragon_core.embedding import ENTITIES_NAME
from dragon_core.graph import KnowledgeGraph
from dragon_core.modeling import DragonForMultipleChoice
from dragon_core.modeling.saving import save_pretrained
from dragon_core.qa.dataset import PreparedQuestions, QuestionCollator
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.schema import PREDICTIONS, SPLITS, split_name
from dragon_core.training import (
    GraphCollator,
    GraphSentences,
    count_edge_types,
)
from dragon_core.training.batching import BatchLimits, BatchPlan, Cursor, Sizes
from dragon_core.training.optimization import learning_rate_schedule, parameter_groups, split_parameters
from dragon_core.training.reproducible import make_reproducible

EVALUATION_BATCH = 16
PREDICTIONS_NAME = "predictions.parquet"


class FineTuningParams(Parameters):
    """How a model is fine-tuned; every arm of a comparison gets the same."""

    epochs: int = Field(4, ge=1, description="Passes over the training questions; the best on dev is kept.")
    batch_size: int = Field(8, ge=1, description="Questions of a batch.")
    max_length: int = Field(64, ge=8, description="Longest question and choice in tokens; the question is cut.")
    encoder_learning_rate: float = Field(1e-4, gt=0, le=1, description="Learning rate of the language model.")
    new_learning_rate: float = Field(1e-3, gt=0, le=1, description="Learning rate of the graph layers and the head.")
    warmup_share: float = Field(0.1, ge=0, le=1, description="Share of the steps in which the rates rise.")
    weight_decay: float = Field(0.01, ge=0, le=1, description="Weight decay, of all but biases and norms.")
    max_gradient_norm: float = Field(1.0, gt=0, description="Longer gradients are clipped to this length.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of all that is random.")


class ArmParams(FineTuningParams):
    """Fine-tuning of one arm."""

    use_graph: bool = Field(True, description="False: the language model alone.")
    node_size: int = Field(96, ge=8, description="Width of a node, where the graph layers are new.")
    num_fusion_layers: int = Field(2, ge=1, description="Fused layers, where the graph layers are new.")


class FineTune(Stage):
    """One arm of an evaluation: fine-tunes on train, chooses the epoch on dev, predicts test."""

    name = "finetuned"
    version = 4
    questions: ArtifactReference
    graph: ArtifactReference
    entity_table: ArtifactReference
    checkpoint: ArtifactReference | None = None
    encoder: ExternalFiles | None = None
    params: ArmParams = ArmParams()

    @model_validator(mode="after")
    def _one_start(self) -> "FineTune":
        if (self.checkpoint is None) == (self.encoder is None):
            raise ValueError("give either a checkpoint or an encoder to start from")
        return self

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write the model, `predictions.parquet` and `metrics.json`."""
        splits = {split: PreparedQuestions.read(inputs.questions.path(split_name(split))) for split in SPLITS}
        start = inputs.checkpoint.folder if self.encoder is None else self.encoder.root
        graph = KnowledgeGraph.open(inputs.graph.folder)
        make_reproducible(self.params.seed)
        model = self._model(start, inputs.entity_table.path(ENTITIES_NAME), graph)
        tokenizer = AutoTokenizer.from_pretrained(start)
        graphs = GraphCollator(graph.num_relations) if model.config.has_graph else None
        as_text = self.params.use_graph and model.config.graph_as_text
        sentences = GraphSentences(graph.names, graph.relations) if as_text else None
        collators = {
            split: QuestionCollator(questions, tokenizer, graphs, self.params.max_length, sentences)
            for split, questions in splits.items()
        }
        tuner = FineTuner(model, self.params, splits, collators)
        curve = tuner.run(progress)
        probabilities = tuner.predict("test")
        test = splits["test"]
        columns = [test.ids, test.answers, probabilities.argmax(axis=1), list(probabilities)]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, PREDICTIONS, strict=True)]
        draft.write_table(PREDICTIONS_NAME, pa.Table.from_arrays(arrays, schema=PREDICTIONS))
        accuracy = float((probabilities.argmax(axis=1) == test.answers).mean())
        draft.write_json("metrics.json", {"test_accuracy": accuracy, "epochs": curve})
        save_pretrained(model, tokenizer, draft)
        draft.count(**{split: len(questions) for split, questions in splits.items()})

    def _model(self, start: Path, entities: Path, graph: KnowledgeGraph) -> DragonForMultipleChoice:
        params = self.params
        if self.encoder is not None:
            options: dict[str, Any] = {"num_fusion_layers": -1}
            if params.use_graph:
                options = {
                    "num_fusion_layers": params.num_fusion_layers,
                    "node_size": params.node_size,
                    "num_edge_types": count_edge_types(graph.num_relations),
                }
            return DragonForMultipleChoice.from_encoder(start, entities if params.use_graph else None, **options)
        if not params.use_graph:
            return DragonForMultipleChoice.from_pretrained(start, num_fusion_layers=-1)
        model = DragonForMultipleChoice.from_pretrained(start)
        if model.config.has_graph:
            model.dragon.load_entities(entities)
        return model


class FineTuner:
    """Fine-tunes a model on the train split, evaluating on dev after every epoch."""

    def __init__(
        self,
        model: DragonForMultipleChoice,
        params: FineTuningParams,
        splits: dict[str, PreparedQuestions],
        collators: dict[str, QuestionCollator],
    ) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model
        self._model.to(torch.device(self._device))  # type: ignore[arg-type]
        self._params = params
        self._splits = splits
        self._collators = collators

    def run(self, progress: Progress) -> list[dict[str, float]]:
        """Fine-tune, and leave the model as it was after its best epoch on dev.

        Returns:
            One entry an epoch: mean loss, and accuracy on dev.

        Raises:
            QuestionError: The loss became NaN or infinite.
        """
        params, train = self._params, self._splits["train"]
        lengths = train.lengths
        plan = BatchPlan(
            np.arange(len(train)),
            lambda questions: Sizes(lengths[questions], np.zeros_like(questions)),
            BatchLimits(params.batch_size),
            params.seed,
        )
        batches_per_epoch = math.ceil(len(train) / params.batch_size)
        steps = params.epochs * batches_per_epoch
        groups = parameter_groups(
            *split_parameters(self._model), params.encoder_learning_rate, params.new_learning_rate, params.weight_decay
        )
        optimizer = torch.optim.AdamW(groups)
        schedule = learning_rate_schedule(optimizer, steps, round(params.warmup_share * steps))
        best, curve, loss_sum = None, list[dict[str, float]](), 0.0
        for step, batch in enumerate(islice(plan.after(Cursor()), steps), start=1):
            self._model.train()
            loss = self._loss(batch.examples, step)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), params.max_gradient_norm)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            loss_sum += loss.item()
            progress(
                step, steps, loss=loss.item(), **{k: v for k, v in (curve[-1] if curve else {}).items() if k != "loss"}
            )
            if step % batches_per_epoch == 0:
                accuracy = float((self.predict("dev").argmax(axis=1) == self._splits["dev"].answers).mean())
                if best is None or accuracy > max(entry["dev_accuracy"] for entry in curve):
                    best = copy.deepcopy(self._trained())
                curve.append({"loss": loss_sum / batches_per_epoch, "dev_accuracy": accuracy})
                loss_sum = 0.0
        assert best is not None
        self._model.load_state_dict(best, strict=False)
        return curve

    @torch.inference_mode()
    def predict(self, split: str) -> npt.NDArray[np.float32]:
        """Probabilities [questions, choices] on a split."""
        self._model.eval()
        questions = self._splits[split]
        probabilities = np.zeros((len(questions), questions.num_choices), dtype=np.float32)
        order = np.argsort(questions.lengths, kind="stable")
        for start in range(0, len(order), EVALUATION_BATCH):
            chosen = order[start : start + EVALUATION_BATCH]
            logits = self._model(num_choices=questions.num_choices, **self._batch(split, chosen)).logits
            probabilities[chosen] = logits.float().softmax(dim=1).cpu().numpy()
        return probabilities

    def _loss(self, examples: npt.NDArray[np.int64], step: int) -> torch.Tensor:
        loss: torch.Tensor = self._model(
            num_choices=self._splits["train"].num_choices, **self._batch("train", examples)
        ).loss
        if not math.isfinite(loss.item()):
            ids = [self._splits["train"].ids[example] for example in examples]
            raise QuestionError(
                f"The loss of step {step} is {loss.item()} (questions {', '.join(ids)}); try lower learning rates."
            )
        return loss

    def _batch(self, split: str, examples: npt.NDArray[np.int64]) -> dict[str, torch.Tensor]:
        batch: dict[str, torch.Tensor] = send_to_device(self._collators[split](examples), self._device)
        return batch

    def _trained(self) -> dict[str, torch.Tensor]:
        frozen = {name for name, parameter in self._model.named_parameters() if not parameter.requires_grad}
        return {name: value for name, value in self._model.state_dict().items() if name not in frozen}
