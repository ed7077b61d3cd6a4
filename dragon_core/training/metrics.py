"""What is measured of the pretraining objectives on examples that are never trained on."""

import torch

from dragon_core.modeling.outputs import DragonForPreTrainingOutput
from dragon_core.training.masking import IGNORED_LABEL

MLM = ("mlm_loss", "mlm_accuracy")
LINK = ("link_loss", "link_accuracy", "link_mrr", "link_hits_at_1", "link_hits_at_3", "link_hits_at_10")


class PretrainingMetrics:
    """Sums over batches, in double precision.

    Attributes:
        sums: [masked tokens, sums of `MLM`, held-out edges, sums of `LINK`]; those of several processes can be added.
    """

    def __init__(self) -> None:
        self.sums = torch.zeros(2 + len(MLM) + len(LINK), dtype=torch.float64)

    @torch.no_grad()
    def add(self, batch: dict[str, torch.Tensor], output: DragonForPreTrainingOutput) -> None:
        """Add a batch.

        Args:
            batch: What the model was given, `link_candidates` among it.
            output: What it returned.
        """
        wanted = batch["labels"][batch["labels"] != IGNORED_LABEL]
        words, links = torch.zeros(1 + len(MLM)), torch.zeros(1 + len(LINK))
        if len(wanted) and output.mlm_logits is not None and output.mlm_loss is not None:
            right = (output.mlm_logits.argmax(dim=-1) == wanted).double().mean()
            words = len(wanted) * torch.stack([torch.ones_like(right), output.mlm_loss.double(), right])
        positive, scores, loss = output.positive_scores, output.candidate_scores, output.link_loss
        if positive is not None and scores is not None and loss is not None and len(positive):
            loss = loss.double()[None]
            links = len(positive) * torch.cat([torch.ones_like(loss), loss, _ranked(batch, positive, scores)])
        self.sums += torch.cat([words.cpu(), links.cpu()])

    def result(self) -> dict[str, float]:
        """The means.

        Returns:
            mlm_loss, mlm_accuracy: over masked tokens. link_loss: over held-out edges. link_mrr, link_hits_at_1, 3, 10:
            from the rank of the head, and of the tail, among all nodes of the subgraph that make no true edge
            ("filtered"; Bordes et al., NeurIPS 2013), equal scores counting half. link_accuracy: how often the true one
            scores above another (chance 0.5). loss: sum of both losses. Without masked tokens or held-out edges, theirs
            are missing.
        """
        means: dict[str, float] = {}
        for names, (count, *sums) in zip((MLM, LINK), self.sums.split([1 + len(MLM), 1 + len(LINK)]), strict=True):
            if count:
                means |= {name: float(value / count) for name, value in zip(names, sums, strict=True)}
        return means | {"loss": means.get("mlm_loss", 0.0) + means.get("link_loss", 0.0)}


def _ranked(batch: dict[str, torch.Tensor], positive: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Means of `LINK`, the loss aside, over P targets and both ends; scores are [P, C], heads first."""
    sides = []
    half = scores.shape[1] // 2
    for own, part in (("link_head", slice(None, half)), ("link_tail", slice(half, None))):
        # Where there is no candidate, the target's own end stands.
        others = batch["link_candidates"][:, part] != batch[own][:, None]
        above = (scores[:, part] > positive[:, None]).double() + 0.5 * (scores[:, part] == positive[:, None])
        count = others.sum(1)
        rank = 1 + (above * others).sum(1)
        accuracy = 1 - (rank - 1) / count.clamp(min=1)
        hits = [(rank <= limit).double() for limit in (1, 3, 10)]
        sides.append(torch.stack([accuracy, 1 / rank, *hits]).mean(1))
    return torch.stack(sides).mean(0)
