"""How likely a masked language model finds texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812
from transformers import AutoModelForMaskedLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from dragon_core.devices import best_device
from dragon_core.embedding.encoder import readable_tokens

Float32s = npt.NDArray[np.float32]

BATCH_SIZE = 16
MAX_TOKENS = 128
IGNORED = -100


class LikelihoodScorer:
    """A masked language model that reads whole texts, nothing masked, and predicts each of their tokens.

    It computes on the GPU if there is one.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._model = model.to(best_device())  # type: ignore[arg-type]
        self._tokenizer = tokenizer
        self._max_tokens = min(MAX_TOKENS, readable_tokens(model.config))

    @classmethod
    def load(cls, encoder: Path) -> Self:
        """Load a folder that `save_pretrained` made, with its head for masked language modelling."""
        # Of a long text the beginning is cut, since its end is what differs.
        tokenizer = AutoTokenizer.from_pretrained(encoder, truncation_side="left")
        return cls(AutoModelForMaskedLM.from_pretrained(encoder).eval(), tokenizer)

    @torch.inference_mode()
    def likelihoods(self, texts: Sequence[str]) -> Float32s:
        """exp(-loss) [len(texts)] in (0, 1]; the loss is the mean cross-entropy of at most `MAX_TOKENS` last tokens."""
        scores = np.zeros(len(texts), np.float32)
        order = np.argsort([len(text) for text in texts], kind="stable")
        for start in range(0, len(order), BATCH_SIZE):
            chosen = order[start : start + BATCH_SIZE]
            batch = self._tokenizer(
                [texts[i] for i in chosen],
                padding=True,
                truncation=True,
                max_length=self._max_tokens,
                return_tensors="pt",
            ).to(self._model.device)
            logits = self._model(**batch).logits
            targets = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, IGNORED)
            losses = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=IGNORED, reduction="none")
            tokens = batch["attention_mask"].sum(1)
            scores[chosen] = (-losses.sum(1) / tokens).exp().cpu().numpy()
        return scores
