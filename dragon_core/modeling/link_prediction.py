"""Link prediction: scores of triples of node vectors, and their loss.

DistMult (Yang et al., ICLR 2015), ComplEx (Trouillon et al., ICML 2016), TransE (Bordes et al., NeurIPS 2013), RotatE
and self-adversarial negative sampling (Sun et al., ICLR 2019).
"""

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.edge_products import Groups, dot, gather

# The published decoders' epsilon, in the range of the uniform distribution: (gamma + 2) / d.
RANGE_EPSILON = 2.0
# Numbers that the vectors of some triples' candidates may take.
CANDIDATE_NUMBERS = 2**24


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
            negatives: [P, K] positions, K even; the first K / 2 replace the head, the others the tail.

        Returns:
            Scores [P] and [P, K].
        """
        vectors = self._normalized(nodes if self.projection is None else self.projection(nodes))
        h, t = (gather(vectors, Groups(ends, len(vectors))) for ends in (head, tail))
        r = self.relations(relation)
        half = negatives.shape[1] // 2
        heads, tails = negatives[:, :half], negatives[:, half : 2 * half]
        if self.config.link_decoder == "distmult":
            corrupted = [self._scaled(_products(r * t, vectors, heads)), self._scaled(_products(h * r, vectors, tails))]
        else:
            rows_of_heads, rows_of_tails = (gather(vectors, Groups(n.flatten(), len(vectors))) for n in (heads, tails))
            corrupted = [
                self.score(rows_of_heads.unflatten(0, heads.shape), r[:, None], t[:, None]),
                self.score(h[:, None], r[:, None], rows_of_tails.unflatten(0, tails.shape)),
            ]
        return self.score(h, r, t), torch.cat(corrupted, dim=1)

    @torch.no_grad()
    def candidate_scores(
        self,
        nodes: torch.Tensor,
        head: torch.Tensor,
        relation: torch.Tensor,
        tail: torch.Tensor,
        candidates: torch.Tensor,
    ) -> torch.Tensor:
        """Scores [P, C] of many corruptions, C even, a few triples at a time; the arguments are those of `forward`."""
        rows = max(CANDIDATE_NUMBERS // max(candidates.shape[1] * self.config.node_size, 1), 1)
        parts = zip(*(tensor.split(rows) for tensor in (head, relation, tail, candidates)), strict=True)
        scores = [self(nodes, *part)[1] for part in parts]
        return torch.cat(scores) if scores else nodes.new_zeros(candidates.shape)

    def score(self, h: torch.Tensor, r: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Scores of triples of vectors, [..., d] each (RotatE's relation: [..., d / 2])."""
        if self.config.link_decoder == "distmult":
            return self._scaled((h * r * t).sum(-1))
        if self.config.link_decoder == "complex":
            (h_real, h_imaginary), (r_real, r_imaginary), (t_real, t_imaginary) = (
                x.chunk(2, dim=-1) for x in (h, r, t)
            )
            real = (h_real * r_real - h_imaginary * r_imaginary) * t_real
            imaginary = (h_real * r_imaginary + h_imaginary * r_real) * t_imaginary
            return self._scaled((real + imaginary).sum(-1))
        h, t = h * (self.range / math.sqrt(3)), t * (self.range / math.sqrt(3))
        if self.config.link_decoder == "transe":
            return self.config.link_gamma - (h + r - t).norm(dim=-1)
        phase = r / (self.range / math.pi)
        (h_real, h_imaginary), (t_real, t_imaginary) = h.chunk(2, dim=-1), t.chunk(2, dim=-1)
        real = h_real * phase.cos() - h_imaginary * phase.sin() - t_real
        imaginary = h_real * phase.sin() + h_imaginary * phase.cos() - t_imaginary
        return self.config.link_gamma - torch.stack([real, imaginary]).norm(dim=0).sum(-1)

    def _scaled(self, scores: torch.Tensor) -> torch.Tensor:
        return scores / math.sqrt(self.config.node_size) if self.config.link_scaled else scores

    def regularization(self) -> torch.Tensor:
        """The weighted mean square of the relation vectors."""
        return self.config.link_regularization * self.relations.weight.square().mean()

    def losses(self, positive: torch.Tensor, negative: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Losses of true and of corrupted triples, 0 without any.

        Args:
            positive: [P] scores of true triples.
            negative: [P, K] scores of their corruptions.
        """
        if not len(positive):
            zero = positive.sum()
            return zero, zero
        log_likelihood = F.logsigmoid(-negative)
        if self.config.link_self_adversarial:
            weights = (self.config.link_adversarial_temperature * negative).softmax(dim=1).detach()
            negative_loss = -(weights * log_likelihood).sum(dim=1).mean()
        else:
            negative_loss = -log_likelihood.mean()
        return -F.logsigmoid(positive).mean(), negative_loss

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


def _products(anchors: torch.Tensor, vectors: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    """Dot products [P, K] of each anchor [P, d] with the vectors [N, d] at its K negatives."""
    triple = torch.arange(len(anchors), device=anchors.device).repeat_interleave(negatives.shape[1])
    scores = dot(anchors, vectors, Groups(triple, len(anchors)), Groups(negatives.flatten(), len(vectors)))
    return scores.view(negatives.shape)
