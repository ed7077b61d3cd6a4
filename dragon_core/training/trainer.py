"""The training loop, which continues exactly where it was killed.

All that a step depends on is the model, the optimizer, the schedule, torch's random state, and the number of steps
done, from which the data follow (`batching`). These are in every checkpoint, so on a CPU a continued run computes what
an uninterrupted one would have, bit for bit.
"""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import send_to_device
from torch import nn

from dragon_core.artifacts import Progress, silent
from dragon_core.modeling.modeling_dragon import DragonForPreTraining
from dragon_core.training.batching import Batch, BatchPlan
from dragon_core.training.checkpoints import Checkpoints
from dragon_core.training.collator import PretrainingBatch, PretrainingCollator
from dragon_core.training.errors import NonFiniteLossError
from dragon_core.training.metrics import PretrainingMetrics
from dragon_core.training.optimization import Parameter, linear_warmup_and_decay, parameter_groups
from dragon_core.training.parameters import TrainingParams
from dragon_core.training.prefetching import prefetched
from dragon_core.training.reproducible import make_reproducible

Numbers = dict[str, float]
ENCODER_PREFIXES = ("dragon.backbone.", "lm_head.")
LOSSES = ("loss", "mlm_loss", "link_loss")


@dataclass
class History:
    """What happened so far.

    Attributes:
        steps: One entry a step: step, losses, learning rates.
        evaluations: One entry an evaluation: step and metrics; the first is of step 0, the last of the last step.
    """

    steps: list[Numbers] = field(default_factory=list)
    evaluations: list[Numbers] = field(default_factory=list)


class Trainer:
    """Pretrains a model.

    Attributes:
        history: What happened so far, over all continuations of the run.
    """

    def __init__(
        self,
        model: DragonForPreTraining,
        params: TrainingParams,
        collator: PretrainingCollator,
        plan: BatchPlan,
        evaluation: Sequence[Batch],
        checkpoints: Checkpoints,
    ) -> None:
        self.history = History()
        self._params = params
        self._collator = collator
        self._plan = plan
        self._evaluation = evaluation
        self._checkpoints = checkpoints
        # accelerate keeps the precision for the process; another run in it may have had another.
        AcceleratorState._reset_state()
        self._accelerator = Accelerator(
            mixed_precision="bf16" if params.precision == "bfloat16" else "no",
            gradient_accumulation_steps=params.gradient_accumulation,
        )
        encoder, new = split_parameters(model)
        groups = parameter_groups(
            encoder, new, params.encoder_learning_rate, params.new_learning_rate, params.weight_decay
        )
        frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
        self._saved = [name for name in model.state_dict() if name not in frozen]
        self._model, self._optimizer = self._accelerator.prepare(model, torch.optim.AdamW(groups))
        self._schedule = linear_warmup_and_decay(self._optimizer.optimizer, params.warmup_steps, params.steps)

    def run(self, progress: Progress = silent) -> DragonForPreTraining:
        """Train to the last step, from the newest sound checkpoint if there is one.

        Args:
            progress: Told of the step, the mean losses since the last report, and examples a second.

        Returns:
            The trained model, in evaluation mode.

        Raises:
            NonFiniteLossError: The loss became NaN or infinite; the last checkpoint is left as it is.
        """
        params = self._params
        make_reproducible(params.seed)
        done = self._continue()
        if not self.history.evaluations:
            self._evaluate(done)
        meter = _Meter(done, params)
        with closing(self._batches(done)) as batches:
            for step in range(done + 1, params.steps + 1):
                self.history.steps.append(self._step(step, list(islice(batches, params.gradient_accumulation))))
                last = step == params.steps
                if step % params.log_interval == 0 or last:
                    progress(step, params.steps, **meter.report(self.history.steps))
                if step % params.evaluation_interval == 0 or last:
                    with meter.paused():
                        self._evaluate(step)
                if step % params.checkpoint_interval == 0 and not last:
                    self._checkpoints.save(step, self._state())
        self._model.eval()
        model: DragonForPreTraining = self._accelerator.unwrap_model(self._model)
        return model

    def _batches(self, done: int) -> Generator[PretrainingBatch, None, None]:
        """All batches that come after `done` steps."""
        accumulation = self._params.gradient_accumulation
        numbers = range(done * accumulation, self._params.steps * accumulation)
        requests = (self._plan.batch(number) for number in numbers)
        return prefetched(self._collator, requests, self._params.prefetched_batches)

    def _step(self, step: int, batches: Sequence[PretrainingBatch]) -> Numbers:
        """One optimizer step; returns its mean losses and the learning rates it was taken with."""
        numbers = {f"{group['name']}_learning_rate": group["lr"] for group in self._optimizer.param_groups}
        sums: Numbers = {}
        self._model.train()
        for batch in batches:
            with self._accelerator.accumulate(self._model):
                output = self._model(**send_to_device(batch.tensors, self._accelerator.device))
                for name in (name for name in LOSSES if name in output):
                    sums[name] = sums.get(name, 0.0) + output[name].item()
                if not math.isfinite(sums["loss"]):
                    raise NonFiniteLossError(
                        f"The loss of step {step} is {sums['loss']} (segments {batch.segment_ids.tolist()});"
                        " try lower learning rates or float32, or look at these segments."
                    )
                self._accelerator.backward(output.loss)
                if self._accelerator.sync_gradients:
                    self._accelerator.clip_grad_norm_(self._model.parameters(), self._params.max_gradient_norm)
                self._optimizer.step()
                self._optimizer.zero_grad()
        self._schedule.step()
        return {"step": step, **{name: value / len(batches) for name, value in sums.items()}, **numbers}

    @torch.no_grad()
    def _evaluate(self, step: int) -> None:
        self._model.eval()
        metrics = PretrainingMetrics()
        for batch in prefetched(self._collator, self._evaluation, self._params.prefetched_batches):
            tensors = send_to_device(batch.tensors, self._accelerator.device)
            metrics.add(self._model(**tensors), tensors["labels"])
        self.history.evaluations.append({"step": step, **metrics.result()})

    def _state(self) -> dict[str, Any]:
        state = self._accelerator.unwrap_model(self._model).state_dict()
        return {
            "model": {name: state[name] for name in self._saved},
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "history": {"steps": self.history.steps, "evaluations": self.history.evaluations},
        }

    def _continue(self) -> int:
        """Load the newest sound checkpoint, and give the number of steps done."""
        found = self._checkpoints.load_latest()
        if found is None:
            return 0
        step, state = found
        self._accelerator.unwrap_model(self._model).load_state_dict(state["model"], strict=False)
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        if torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        self.history = History(**state["history"])
        return step


def split_parameters(model: nn.Module) -> tuple[list[Parameter], list[Parameter]]:
    """Named parameters of the pretrained language model with its head, and those that begin at random."""
    named = list(model.named_parameters())
    return (
        [(name, parameter) for name, parameter in named if name.startswith(ENCODER_PREFIXES)],
        [(name, parameter) for name, parameter in named if not name.startswith(ENCODER_PREFIXES)],
    )


class _Meter:
    """Mean losses and examples a second since the last report."""

    def __init__(self, step: int, params: TrainingParams) -> None:
        self._examples = params.batch_size * params.gradient_accumulation
        self._step = step
        self._since = time.perf_counter()

    def report(self, entries: Sequence[Numbers]) -> Numbers:
        now, step = time.perf_counter(), int(entries[-1]["step"])
        recent = entries[self._step - step :]
        means = {name: sum(entry[name] for entry in recent) / len(recent) for name in LOSSES if name in recent[-1]}
        rate = len(recent) * self._examples / (now - self._since)
        self._step, self._since = step, now
        return means | {"examples_per_second": rate}

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is done in here counts for no rate."""
        began = time.perf_counter()
        yield
        self._since += time.perf_counter() - began
