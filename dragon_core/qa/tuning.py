"""The loop that fine-tunes a model on questions; a run that was killed goes on after its last whole epoch.

The random numbers of a step are a function of seed and step, and the batches one of the seed, so that on a CPU a
continued run computes what an uninterrupted one would have.
"""

import math
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
import torch
from accelerate.utils import send_to_device

from dragon_core.artifacts import Progress
from dragon_core.devices import best_device
from dragon_core.modeling import DragonForMultipleChoice
from dragon_core.qa.collator import QuestionCollator
from dragon_core.qa.dataset import UNKNOWN, Float32s, Int64s
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.models import QuestionModel, model_arguments
from dragon_core.qa.parameters import FineTuningParams
from dragon_core.training.batching import BatchLimits, BatchPlan, Cursor, Sizes, evaluation_batches
from dragon_core.training.checkpoints import Checkpoints
from dragon_core.training.optimization import learning_rate_schedule, parameter_groups, split_parameters
from dragon_core.training.random_numbers import Purpose, example_keys, random_bits


@dataclass(frozen=True)
class Epoch:
    """A pass over the training questions.

    Attributes:
        loss: Mean loss of its steps; of logits in parts the sum of the parts' losses, which `dev_loss` is not.
        dev_loss: Loss on dev after it.
        dev_accuracy: Accuracy there.
    """

    loss: float
    dev_loss: float
    dev_accuracy: float

    @property
    def rank(self) -> tuple[float, float]:
        """The better epoch has the larger one."""
        return self.dev_accuracy, -self.dev_loss


class FineTuner:
    """Fine-tunes a model on some questions, and evaluates it on others after every epoch.

    Args:
        model: Its graph network is new, unless `graph_is_pretrained`.
        params: How it is fine-tuned.
        seed: Of all that is random.
        train: Questions to learn.
        dev: Questions to choose the best epoch on.
        checkpoints: Where to go on from, and to write.
        graph_is_pretrained: Then its graph network learns at the rate of the language model.

    Attributes:
        curve: The epochs so far, over all continuations of the run.
    """

    def __init__(
        self,
        model: QuestionModel,
        params: FineTuningParams,
        seed: int,
        train: QuestionCollator,
        dev: QuestionCollator,
        checkpoints: Checkpoints,
        graph_is_pretrained: bool,
    ) -> None:
        self.curve: list[Epoch] = []
        self._device = best_device()
        self._model = model
        self._model.to(self._device)  # type: ignore[arg-type]
        self._params = params
        self._seed = seed
        self._train = train
        self._dev = dev
        self._checkpoints = checkpoints
        self._steps_of_epoch = math.ceil(len(train.questions) / params.batch_size)
        self._steps = params.epochs * self._steps_of_epoch
        pretrained, new = split_parameters(model, graph_is_pretrained)
        groups = parameter_groups(
            pretrained, new, params.encoder_learning_rate, params.new_learning_rate, params.weight_decay
        )
        self._optimizer = torch.optim.AdamW(groups)
        frozen = params.encoder_frozen_epochs * self._steps_of_epoch
        warmup = round(params.warmup_share * self._steps)
        self._schedule = learning_rate_schedule(self._optimizer, self._steps, warmup, encoder_frozen_steps=frozen)

    @property
    def best_epoch(self) -> int:
        """The number, from 1, of the best epoch so far."""
        return max(range(1, len(self.curve) + 1), key=lambda number: self.curve[number - 1].rank)

    def run(self, progress: Progress) -> None:
        """Fine-tune, from the last epoch that a killed run finished; leave the model as the best epoch left it.

        Raises:
            QuestionError: The loss became NaN or infinite, or a question has no known answer.
        """
        for collator in (self._train, self._dev):
            _check_answers(collator)
        self._continue()
        lengths = self._train.questions.lengths
        plan = BatchPlan(
            np.arange(len(lengths)),
            lambda questions: Sizes(lengths[questions], np.zeros_like(questions)),
            BatchLimits(self._params.batch_size),
            self._seed,
        )
        batches = plan.after(Cursor(epoch=len(self.curve)))
        while not self._is_done:
            first = len(self.curve) * self._steps_of_epoch + 1
            steps = zip(count(first), islice(batches, self._steps_of_epoch), strict=False)
            losses = [self._step(step, batch.examples, progress) for step, batch in steps]
            dev_loss, dev_accuracy = score(self.logits(self._dev), self._dev.questions.answers)
            self.curve.append(Epoch(float(np.mean(losses)), dev_loss, dev_accuracy))
            self._save()
        best = self._checkpoints.load(self.best_epoch)
        if best is None:
            raise QuestionError(
                f"The checkpoint of the best epoch, {self.best_epoch}, in {self._checkpoints.folder} is damaged; delete"
                " that folder and run again."
            )
        self._model.load_state_dict(best["model"], strict=False)

    @torch.inference_mode()
    def logits(self, collator: QuestionCollator) -> list[Float32s]:
        """Logits of the choices of each question, or of the classes; in evaluation mode.

        Raises:
            QuestionError: They became NaN or infinite.
        """
        self._model.eval()
        questions, lengths = collator.questions, collator.questions.lengths
        of_choices = isinstance(self._model, DragonForMultipleChoice)
        found: list[Float32s] = [np.empty(0, np.float32)] * len(questions)
        plan = evaluation_batches(
            np.arange(len(questions)),
            lambda examples: Sizes(lengths[examples], np.zeros_like(examples)),
            BatchLimits(self._params.batch_size),
        )
        for batch in plan if len(questions) else ():
            arguments = model_arguments(self._model, collator, batch.examples)
            logits = self._model(**send_to_device(arguments, self._device)).logits.float().cpu().numpy()
            for example, row in zip(batch.examples, logits, strict=True):
                # Of questions with fewer choices than others of the batch, the row is filled up.
                found[example] = row[: questions.num_rows[example]] if of_choices else row
                if not np.isfinite(found[example]).all():
                    raise QuestionError(
                        f"The logits of question {questions.ids[example]} are no numbers; lower the rates."
                    )
        return found

    @property
    def _is_done(self) -> bool:
        done, params = len(self.curve), self._params
        if done <= params.encoder_frozen_epochs:
            return False
        return done == params.epochs or done - max(self.best_epoch, params.encoder_frozen_epochs) >= params.patience

    def _step(self, step: int, examples: Int64s, progress: Progress) -> float:
        self._model.train()
        # So that what dropout draws does not depend on where the run was continued.
        keys = example_keys(self._seed, step, np.zeros(1, np.int64))
        torch.manual_seed(int(random_bits(keys, Purpose.DROPOUT)[0]))
        answers = torch.from_numpy(self._train.questions.answers[examples])
        arguments = model_arguments(self._model, self._train, examples) | {"labels": answers}
        output = self._model(**send_to_device(arguments, self._device))
        loss = output.loss.item()
        if not math.isfinite(loss):
            ids = [self._train.questions.ids[example] for example in examples]
            raise QuestionError(f"The loss of step {step} is {loss} (questions {', '.join(ids)}); lower the rates.")
        output.loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._params.max_gradient_norm)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._schedule.step()
        last = {"dev_accuracy": self.curve[-1].dev_accuracy} if self.curve else {}
        progress(step, self._steps, loss=loss, **last)
        return loss

    def _save(self) -> None:
        frozen = {name for name, parameter in self._model.named_parameters() if not parameter.requires_grad}
        state = {
            "model": {name: value for name, value in self._model.state_dict().items() if name not in frozen},
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "curve": [vars(epoch) for epoch in self.curve],
        }
        self._checkpoints.save(len(self.curve), state, self.best_epoch)

    def _continue(self) -> None:
        found = self._checkpoints.load_latest()
        if found is not None:
            _, state = found
            self._model.load_state_dict(state["model"], strict=False)
            self._optimizer.load_state_dict(state["optimizer"])
            self._schedule.load_state_dict(state["schedule"])
            self.curve = [Epoch(**epoch) for epoch in state["curve"]]


def score(logits: list[Float32s], answers: Int64s) -> tuple[float, float]:
    """Mean cross entropy, and accuracy, of logits against the answers."""
    losses = [np.logaddexp.reduce(row) - row[answer] for row, answer in zip(logits, answers, strict=True)]
    hits = [row.argmax() == answer for row, answer in zip(logits, answers, strict=True)]
    return float(np.mean(losses)), float(np.mean(hits))


def _check_answers(collator: QuestionCollator) -> None:
    questions = collator.questions
    unknown = [name for name, answer in zip(questions.ids, questions.answers, strict=True) if answer == UNKNOWN]
    if unknown or not len(questions):
        what = f"question {unknown[0]} has no answer" if unknown else "there is no question"
        raise QuestionError(f"To train and to choose the best epoch takes questions with answers, but {what}.")
