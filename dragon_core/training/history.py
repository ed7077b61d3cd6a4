"""What happened in a run so far; it is in every checkpoint."""

from dataclasses import dataclass, field

Numbers = dict[str, float]


@dataclass
class History:
    """The course of a run.

    Attributes:
        intervals: One entry an interval between reports: its last step, the means of losses and gradient norms over the
            interval, and the learning rates of that step.
        recent: One entry for each step since the last report.
        evaluations: One entry an evaluation: step and metrics; the first is of step 0, the last of the last step.
    """

    intervals: list[Numbers] = field(default_factory=list)
    recent: list[Numbers] = field(default_factory=list)
    evaluations: list[Numbers] = field(default_factory=list)

    @property
    def best_step(self) -> int | None:
        """The step, after the start, whose evaluation had the least loss; the earliest of equals; None before any."""
        trained = self.evaluations[1:]
        return int(min(trained, key=lambda entry: entry["loss"])["step"]) if trained else None

    def is_evaluated(self, step: int) -> bool:
        """Whether there is an evaluation of a step."""
        return any(entry["step"] == step for entry in self.evaluations)

    def evaluation_of(self, step: int) -> Numbers:
        """The evaluation of a step."""
        return next(entry for entry in self.evaluations if entry["step"] == step)

    def close_interval(self) -> Numbers:
        """Turn the recent steps into an interval, and give it."""
        last = self.recent[-1]
        entry = {
            name: value
            if name == "step" or name.endswith("learning_rate")
            else sum(step[name] for step in self.recent) / len(self.recent)
            for name, value in last.items()
        }
        self.intervals.append(entry)
        self.recent.clear()
        return entry
