"""The training loop, which continues exactly where it was killed.

All that a step depends on is the model, the optimizer, the schedule, where in the data the run is, and the seed: the
random numbers of a step (dropout) are a function of seed, step and process. These are in every checkpoint, so on a CPU
a continued run computes what an uninterrupted one would have, bit for bit.
"""

import logging
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Any, NoReturn

import numpy as np
import torch
from accelerate.utils import send_to_device

from dragon_core.artifacts import Progress, silent
from dragon_core.modeling.modeling_dragon import DragonForPreTraining
from dragon_core.modeling.outputs import DragonForPreTrainingOutput
from dragon_core.training.batching import Batch, BatchPlan, Cursor
from dragon_core.training.checkpoints import Checkpoints
from dragon_core.training.collator import PretrainingBatch, PretrainingCollator, View
from dragon_core.training.errors import NonFiniteLossError, TrainingInterruptedError
from dragon_core.training.history import History, Numbers
from dragon_core.training.interruption import Interruption
from dragon_core.training.loading import loaded
from dragon_core.training.metrics import PretrainingMetrics
from dragon_core.training.objectives import LOSSES, StepTotals, counts
from dragon_core.training.optimization import freeze_encoder, learning_rate_schedule, parameter_groups, split_parameters
from dragon_core.training.parameters import Execution, TrainingParams
from dragon_core.training.processes import (
    batch_statistics,
    gathered,
    gradients_kept_apart,
    leave_together,
    load_model_state,
    load_optimizer_state,
    model_state,
    new_accelerator,
    optimizer_state,
    placed,
    restore_batch_statistics,
    summed_over_processes,
    whole,
)
from dragon_core.training.random_numbers import Purpose, example_keys, random_bits

logger = logging.getLogger(__name__)

# Segments in a message.
MOST_NAMED = 100


class Trainer:
    """Pretrains a model, together with the trainers of the other processes if there are any.

    Attributes:
        history: What happened so far, over all continuations of the run.
        computed: Seconds that this process spent in optimizer steps.
        waited: Seconds that it waited for batches.
        kept_step: The step whose model is kept, once the run is at its end.
    """

    def __init__(
        self,
        model: DragonForPreTraining,
        params: TrainingParams,
        execution: Execution,
        collator: PretrainingCollator,
        plan: BatchPlan,
        evaluation: Sequence[Batch],
        checkpoints: Checkpoints,
        run_name: str,
    ) -> None:
        self.history = History()
        self.computed = 0.0
        self.waited = 0.0
        self.kept_step = 0
        self._params = params
        self._execution = execution
        self._collator = collator
        self._plan = plan
        self._evaluation = evaluation
        self._checkpoints = checkpoints
        self._cursor = Cursor()
        self._interruption = Interruption()
        # Before the first step there is nothing to save.
        self._saved_step = 0
        self._accelerator = new_accelerator(params, execution, run_name)
        workers = execution.loader_workers
        self._workers = (2 if torch.cuda.is_available() else 0) if workers is None else workers
        if not params.encoder_learning_rate:
            freeze_encoder(model)
        self._model = placed(model, self._accelerator, execution)
        groups = parameter_groups(
            *split_parameters(model), params.encoder_learning_rate, params.new_learning_rate, params.weight_decay
        )
        self._optimizer = self._accelerator.prepare_optimizer(torch.optim.AdamW(groups))
        self._schedule = learning_rate_schedule(
            self._optimizer.optimizer, params.steps, params.warmup_steps, params.schedule, params.encoder_frozen_steps
        )
        if execution.trackers:
            wandb = {"id": run_name, "name": run_name, "resume": "allow", "dir": execution.tracking_folder}
            settings = {name: str(value) for name, value in params.model_dump().items()}
            self._accelerator.init_trackers("dragon", settings, {"wandb": wandb})

    def run(self, progress: Progress = silent) -> dict[str, Any]:
        """Train to the last step, from the newest sound checkpoint if there is one.

        A run that gets SIGTERM saves a checkpoint of the last whole step, and ends by the signal.

        Args:
            progress: Told of the step, the mean losses since the last report, examples a second, and the share of the
                time that was spent waiting for data.

        Returns:
            The weights to keep, as the parameter `kept_model` says; empty in all processes but the first.

        Raises:
            NonFiniteLossError: A loss or a gradient became NaN or infinite; the last checkpoint is left as it is.
            TrainingInterruptedError: SIGTERM came, and did not end the process.
        """
        done = self._continue()
        with self._interruption:
            self._train(done, progress)
        self._load_kept()
        return model_state(self._model)

    def evaluate_parts(self) -> dict[str, Numbers]:
        """Metrics of the kept model where it is shown the text alone, or the graph alone."""
        return {
            "without_graph": self._evaluate(self.kept_step, View.TEXT),
            "without_text": self._evaluate(self.kept_step, View.GRAPH),
        }

    def end(self) -> None:
        """Finish what the trackers write, and part with the other processes."""
        leave_together(self._accelerator)

    def _train(self, done: int, progress: Progress) -> None:
        params, completed, pace = self._params, done, _Pace()
        ahead = params.gradient_accumulation
        batches = loaded(self._collator, self._shared(self._plan.after(self._cursor)), self._workers, ahead)
        try:
            for step in range(done, params.steps + 1):
                is_last = step == params.steps
                if step > done:
                    self._advance(step, batches, pace)
                    completed = step
                    if step % params.log_interval == 0 or is_last:
                        self._report(step, progress, pace)
                is_due = step % params.evaluation_interval == 0 or is_last
                is_best = is_due and self._record_evaluation(step) and params.kept_model == "best"
                if step % self._execution.checkpoint_interval == 0 or is_last or is_best:
                    self._save(step)
        except TrainingInterruptedError:
            self._save(completed)
            raise

    def _advance(self, step: int, batches: Iterator[PretrainingBatch], pace: "_Pace") -> None:
        """Get the batches of a step, and take it."""
        began = time.perf_counter()
        these = list(islice(batches, self._params.gradient_accumulation))
        waited = time.perf_counter() - began
        self._stop_if_asked()
        numbers = torch.tensor([*counts(these), sum(len(batch.segment_ids) for batch in these)])
        tokens, links, examples = summed_over_processes(self._accelerator, numbers).tolist()
        totals = StepTotals(tokens, links, len(these), self._accelerator.num_processes)
        self.history.recent.append(self._step(step, these, totals))
        self._cursor = these[-1].after
        seconds = time.perf_counter() - began
        self.waited += waited
        self.computed += seconds - waited
        pace.add(examples, waited, seconds)

    def _report(self, step: int, progress: Progress, pace: "_Pace") -> None:
        entry = self.history.close_interval()
        self._accelerator.log(entry, step=step)
        losses = {name: entry[name] for name in LOSSES if name in entry}
        progress(step, self._params.steps, **losses, **pace.report())

    def _record_evaluation(self, step: int) -> bool:
        """Evaluate, unless that was done before; returns whether the model is the best so far."""
        if not self.history.is_evaluated(step):
            found = self._evaluate(step)
            self.history.evaluations.append({"step": step, **found})
            self._accelerator.log({f"evaluation_{name}": value for name, value in found.items()}, step=step)
        return self.history.best_step == step

    def _stop_if_asked(self) -> None:
        """Stop all processes, if one of them got SIGTERM.

        Raises:
            TrainingInterruptedError: One did.
        """
        asked = torch.tensor(int(self._interruption.requested))
        if summed_over_processes(self._accelerator, asked).item():
            raise TrainingInterruptedError("Training was ended by SIGTERM; run again to go on from where it was.")

    def _step(self, step: int, batches: Sequence[PretrainingBatch], totals: StepTotals) -> Numbers:
        """One optimizer step; returns its losses, the length of its gradient, and the learning rates."""
        rates = {f"{group['name']}_learning_rate": group["lr"] for group in self._optimizer.param_groups}
        self._model.train()
        self._seed(step)
        losses = self._backward(batches, totals)
        norm = self._accelerator.clip_grad_norm_(self._model.parameters(), self._params.max_gradient_norm)
        mean = self._accelerator.reduce(losses.sum(0), reduction="mean")
        *means, length = torch.cat([mean, whole(norm)[None]]).tolist()
        # Gradients that overflow are what float16's scaler is for.
        if not math.isfinite(means[0]) or not (math.isfinite(length) or self._accelerator.scaler is not None):
            cause = f"The loss of step {step} is {means[0]}, the length of its gradient {length}"
            self._refuse(cause, batches, losses[:, 0])
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._schedule.step()
        numbers = zip(LOSSES, means, self._has_objective(), strict=True)
        return {
            "step": step,
            **{name: value for name, value, is_trained in numbers if is_trained},
            "gradient_norm": length,
            **rates,
        }

    def _backward(self, batches: Sequence[PretrainingBatch], totals: StepTotals) -> torch.Tensor:
        """Sum up the gradients of a step's batches; returns what each adds to `LOSSES`, [batches, 3].

        Raises:
            TrainingInterruptedError: SIGTERM came between two batches; the model is as it was before.
        """
        losses = []
        statistics = batch_statistics(self._model) if len(batches) > 1 else {}
        for number, batch in enumerate(batches, start=1):
            is_last = number == len(batches)
            with nullcontext() if is_last else gradients_kept_apart(self._model, self._accelerator):
                loss = totals.losses(batch, self._forward(batch))
                self._accelerator.backward(loss[0])
            losses.append(loss.detach())
            try:
                if not is_last:
                    self._stop_if_asked()
            except TrainingInterruptedError:
                self._optimizer.zero_grad()
                restore_batch_statistics(self._model, statistics)
                raise
        return torch.stack(losses)

    def _has_objective(self) -> tuple[bool, bool, bool]:
        """Which of `LOSSES` there are."""
        return True, self._params.mask_share > 0, self._params.predicts_links

    def _refuse(self, cause: str, batches: Sequence[PretrainingBatch], losses: torch.Tensor) -> NoReturn:
        """Say which batches, of all processes, have losses [batches] that are not finite; or all, if all are."""
        is_finite = losses.isfinite().tolist()
        everywhere = all(gathered(self._accelerator, is_finite))
        suspects = [batch for batch, fine in zip(batches, is_finite, strict=True) if everywhere or not fine]
        segments = gathered(self._accelerator, [int(i) for batch in suspects for i in batch.segment_ids])
        more = f" and {len(segments) - MOST_NAMED} more" if len(segments) > MOST_NAMED else ""
        raise NonFiniteLossError(
            f"{cause} (segments {segments[:MOST_NAMED]}{more}); try lower learning rates or float32, or look at these"
            " segments. Checkpoints from before are kept."
        )

    def _forward(self, batch: PretrainingBatch) -> DragonForPreTrainingOutput:
        with self._accelerator.autocast():
            output: DragonForPreTrainingOutput = self._model(**send_to_device(batch.tensors, self._accelerator.device))
        return output

    @torch.no_grad()
    def _evaluate(self, step: int, view: View = View.WHOLE) -> Numbers:
        self._model.eval()
        metrics = PretrainingMetrics()
        prepare = partial(self._collator.for_evaluation, view=view)
        for batch in loaded(prepare, self._shared(self._evaluation), self._workers):
            self._stop_if_asked()
            output = self._forward(batch)
            assert output.loss is not None
            loss = float(summed_over_processes(self._accelerator, output.loss))
            if not math.isfinite(loss):
                self._refuse(f"The loss of the evaluation after step {step} is {loss}", [batch], output.loss[None])
            metrics.add(send_to_device(batch.tensors, self._accelerator.device), output)
        metrics.sums = summed_over_processes(self._accelerator, metrics.sums).cpu()
        return metrics.result()

    def _shared(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """This process's parts of batches."""
        rank, processes = self._accelerator.process_index, self._accelerator.num_processes
        return (batch.share(rank, processes) for batch in batches)

    def _seed(self, step: int) -> None:
        """Make the random numbers of a step a function of seed, step and process."""
        keys = example_keys(self._params.seed, step, np.array([self._accelerator.process_index]))
        torch.manual_seed(int(random_bits(keys, Purpose.DROPOUT)[0]))

    def _save(self, step: int) -> None:
        if step == self._saved_step:
            return
        self._saved_step = step
        scaler = self._accelerator.scaler
        state = {
            "model": model_state(self._model),
            "optimizer": optimizer_state(self._model, self._optimizer.optimizer),
            "schedule": self._schedule.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
            "cursor": asdict(self._cursor),
            "history": asdict(self.history),
        }
        if self._accelerator.is_main_process:
            best = self.history.best_step if self._params.kept_model == "best" else None
            self._checkpoints.save(step, state, best)

    def _continue(self) -> int:
        """Load the newest sound checkpoint, and give the number of steps done."""
        found = self._checkpoints.load_latest()
        if found is None:
            return 0
        step, state = found
        load_model_state(self._model, state["model"])
        load_optimizer_state(self._model, self._optimizer.optimizer, state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        if self._accelerator.scaler is not None and state["scaler"] is not None:
            self._accelerator.scaler.load_state_dict(state["scaler"])
        self._cursor = Cursor(**state["cursor"])
        self.history = History(**state["history"])
        self._saved_step = step
        return step

    def _load_kept(self) -> None:
        self.kept_step = self._params.steps
        best = self.history.best_step
        if self._params.kept_model == "last" or best is None or best == self.kept_step:
            return
        state = self._checkpoints.load(best)
        if state is None:
            logger.warning("The checkpoint of the best step, %d, is damaged or gone: the last model is kept.", best)
            return
        load_model_state(self._model, state["model"])
        self.kept_step = best


class _Pace:
    """How fast it goes since the last report; evaluations and checkpoints do not count."""

    def __init__(self) -> None:
        self._begin()

    def add(self, examples: int, waited: float, seconds: float) -> None:
        self._examples += examples
        self._waited += waited
        self._seconds += seconds

    def report(self) -> Numbers:
        rate = {"examples_per_second": self._examples / self._seconds, "waiting_share": self._waited / self._seconds}
        self._begin()
        return rate

    def _begin(self) -> None:
        self._examples, self._waited, self._seconds = 0, 0.0, 0.0
