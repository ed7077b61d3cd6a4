"""A text as one vector: the mean of its tokens."""

import torch


def token_mean(text: torch.Tensor, attention_mask: torch.Tensor | None) -> torch.Tensor:
    """The mean [B, hidden] over the tokens of texts.

    Args:
        text: [B, T, hidden].
        attention_mask: [B, T] 0 where there is no token; None: there is one everywhere.
    """
    if attention_mask is None:
        return text.mean(dim=1)
    weights = attention_mask.to(text.dtype)[..., None]
    return (text * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
