"""The loss of an optimizer step that several batches, and several processes, make together.

An objective's loss is a mean over all masked tokens, or all held-out edges, of the step. The mean of the batches' means
would be another number where batches have more or fewer of them; so each batch's mean counts in proportion. A step has
the same loss and the same gradient whether one process makes it or several; and of one batch or of accumulated parts of
it, batch normalisation aside, which is of a part.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dragon_core.modeling.outputs import DragonForPreTrainingOutput
from dragon_core.training.collator import PretrainingBatch

LOSSES = ("loss", "mlm_loss", "link_loss")


@dataclass(frozen=True)
class StepTotals:
    """What a step asks for.

    Attributes:
        masked_tokens: Tokens to predict, in all batches of all processes.
        links: Edges to predict, likewise.
        batches: Batches of each process.
        processes: How many there are.
    """

    masked_tokens: int
    links: int
    batches: int
    processes: int

    def losses(self, batch: PretrainingBatch, output: DragonForPreTrainingOutput) -> torch.Tensor:
        """What a batch adds to the `LOSSES` of the step, [3]: they are summed over batches, averaged over processes."""
        mlm, link = torch.zeros(2, device=None if output.loss is None else output.loss.device)
        if output.mlm_loss is not None:
            mlm = output.mlm_loss * (self.processes * batch.num_masked_tokens / max(self.masked_tokens, 1))
        positive, negative = output.link_positive_loss, output.link_negative_loss
        if positive is not None and negative is not None and output.link_regularization is not None:
            link = (positive + negative) / 2 * (self.processes * batch.num_links / max(self.links, 1))
            link = link + output.link_regularization / self.batches
        return torch.stack([mlm + link, mlm, link])


def counts(batches: Sequence[PretrainingBatch]) -> tuple[int, int]:
    """Masked tokens and held-out edges of one process's batches of a step."""
    return sum(batch.num_masked_tokens for batch in batches), sum(batch.num_links for batch in batches)
