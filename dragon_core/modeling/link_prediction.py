"""Link prediction: scores of triples of node vectors, and their loss.

DistMult (Yang et al., ICLR 2015), TransE (Bordes et al., NeurIPS 2013), RotatE and self-adversarial negative sampling
(Sun et al., ICLR 2019).
"""

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from dragon_core.modeling.configuration_dragon import DragonConfig

# The published decoders' epsilon, in the range of the uniform distribution: (gamma + 2) / d.
RANGE_EPSILON = 2.0


class LinkPredictor(nn.Module):
    """Scores triples and says how far true ones stand out from corrupted ones."""

    def __init__(self, config: DragonConfig) -> None:
        super().__init__()
        d = config.node_size
        self.config = config
        self.range = (config.link_gamma + RANGE_EPSILON) / d
        self.projection = nn.Linear(d, d) if config.link_projection else None
        self.norm = nn.LayerNorm(d) if config.link_normalization == "layer-norm" else None
        self.relations = nn.Embedding(config.num_edge_types, d // 2 if config.link_decoder == "rotate" else d)

    def forward(
        self,
        nodes: torch.Tensor,
        head: torch.Tensor,
        relation: torch.Tensor,
        tail: torch.Tensor,
        negatives: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Score P true triples and K corruptions of each.

        Args:
            nodes: [N, d] outputs of the encoder.
            head: [P] positions among the nodes.
            relation: [P].
            tail: [P] positions among the nodes.
            negatives: [P, K] positions; the first K // 2 replace the head, the others the tail.

        Returns:
            Scores [P] and [P, K].
        """
        vectors = self._normalized(nodes if self.projection is None else self.projection(nodes))
        half = negatives.shape[1] // 2
        h, r, t = vectors[head][:, None], self.relations(relation)[:, None], vectors[tail][:, None]
        corrupted_heads = self.score(vectors[negatives[:, :half]], r, t)
        corrupted_tails = self.score(h, r, vectors[negatives[:, half:]])
        return self.score(h, r, t)[:, 0], torch.cat([corrupted_heads, corrupted_tails], dim=1)

    def score(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Scores of triples of vectors, [..., d] each (RotatE's relation: [..., d / 2])."""
        if self.config.link_decoder == "distmult":
            scores = (h * r * t).sum(-1)
            return scores / math.sqrt(self.config.node_size) if self.config.link_scaled else scores
        h, t = h * (self.range / math.sqrt(3)), t * (self.range / math.sqrt(3))
        if self.config.link_decoder == "transe":
            return self.config.link_gamma - (h + r - t).norm(dim=-1)
        phase = r / (self.range / math.pi)
        (h_real, h_imaginary), (t_real, t_imaginary) = h.chunk(2, dim=-1), t.chunk(2, dim=-1)
        real = h_real * phase.cos() - h_imaginary * phase.sin() - t_real
        imaginary = h_real * phase.sin() + h_imaginary * phase.cos() - t_imaginary
        return self.config.link_gamma - torch.stack([real, imaginary]).norm(dim=0).sum(-1)

    def losses(self, positive: torch.Tensor, negative: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Total, positive and negative loss; zero where there is no triple.

        Args:
            positive: [P] scores of true triples.
            negative: [P, K] scores of their corruptions.
        """
        regularization = self.config.link_regularization * self.relations.weight.square().mean()
        if not len(positive):
            zero = positive.sum()
            return zero + 0 * regularization, zero, zero
        log_likelihood = F.logsigmoid(-negative)
        if self.config.link_self_adversarial:
            weights = (self.config.link_adversarial_temperature * negative).softmax(dim=1).detach()
            negative_loss = -(weights * log_likelihood).sum(dim=1).mean()
        else:
            negative_loss = -log_likelihood.mean()
        positive_loss = -F.logsigmoid(positive).mean()
        return (positive_loss + negative_loss) / 2 + regularization, positive_loss, negative_loss

    def _normalized(self, vectors: torch.Tensor) -> torch.Tensor:
        match self.config.link_normalization:
            case "l2":
                # Only vectors of length 0 are touched by the clamp; without it their gradient is NaN.
                return vectors / vectors.norm(dim=-1, keepdim=True).detach().clamp(min=1e-12)
            case "tanh":
                return vectors.tanh()
            case "layer-norm":
                assert self.norm is not None
                normalized: torch.Tensor = self.norm(vectors)
                return normalized
        return vectors
