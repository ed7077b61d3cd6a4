"""What is measured of the pretraining objectives on examples that are never trained on."""

from dataclasses import dataclass, field

import torch

from dragon_core.modeling.outputs import DragonForPreTrainingOutput
from dragon_core.training.masking import IGNORED_LABEL


@dataclass
class PretrainingMetrics:
    """Sums over batches, in double precision.

    Attributes:
        tokens: Masked tokens seen.
        links: Held-out edges seen.
    """

    tokens: int = 0
    links: int = 0
    _sums: dict[str, float] = field(default_factory=dict)

    @torch.no_grad()
    def add(self, output: DragonForPreTrainingOutput, labels: torch.Tensor) -> None:
        """Add a batch.

        Args:
            output: What the model returned.
            labels: [B, T] as the model was given them.
        """
        wanted = labels[labels != IGNORED_LABEL]
        self.tokens += len(wanted)
        if len(wanted) and output.mlm_logits is not None:
            self._add("mlm_loss", output.mlm_loss, len(wanted))
            self._add("mlm_accuracy", (output.mlm_logits.argmax(dim=-1) == wanted).sum(), 1)
        positive, negative = output.positive_scores, output.negative_scores
        if positive is None or negative is None or not len(positive):
            return
        self.links += len(positive)
        self._add("link_loss", output.link_loss, len(positive))
        half = negative.shape[1] // 2
        for side in (negative[:, :half], negative[:, half:]):
            # Equal scores count half, so that a constant model is at chance.
            above = (side > positive[:, None]).sum(1) + 0.5 * (side == positive[:, None]).sum(1)
            self._add("link_accuracy", (1 - above / half).sum(), 0.5)
            self._add("link_mrr", (1 / (1 + above)).sum(), 0.5)
            self._add("link_hits_at_1", (above < 1).sum(), 0.5)

    def result(self) -> dict[str, float]:
        """The means.

        Returns:
            mlm_loss, mlm_accuracy: over masked tokens. link_loss: over held-out edges. link_accuracy: how often a true
            edge scores above a corrupted one (chance 0.5). link_mrr, link_hits_at_1: from its rank among its
            corruptions of one side. loss: sum of both losses. Without masked tokens or held-out edges,
            theirs are missing.
        """
        means = {
            name: value / (self.tokens if name.startswith("mlm") else self.links) for name, value in self._sums.items()
        }
        return means | {"loss": means.get("mlm_loss", 0.0) + means.get("link_loss", 0.0)}

    def _add(self, name: str, value: torch.Tensor | None, weight: float) -> None:
        if value is not None:
            self._sums[name] = self._sums.get(name, 0.0) + weight * value.item()
