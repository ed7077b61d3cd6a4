"""Texts to vectors: the mean of a language model's last hidden states over the tokens of a text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from dragon_core.devices import best_device
from dragon_core.embedding.encoder import readable_tokens

Float32s = npt.NDArray[np.float32]


class TextEncoder:
    """A language model in evaluation mode, on the GPU if there is one.

    Attributes:
        size: Length of its vectors.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._model = model.to(best_device())  # type: ignore[arg-type]
        self._tokenizer = tokenizer
        self.size: int = model.config.hidden_size

    @classmethod
    def load(cls, encoder: Path) -> Self:
        """Load a folder that `save_pretrained` made."""
        model = AutoModel.from_pretrained(encoder, add_pooling_layer=False).eval()
        return cls(model, AutoTokenizer.from_pretrained(encoder))

    @torch.inference_mode()
    def embed(self, texts: Sequence[str], max_tokens: int) -> Float32s:
        """Vectors [len(texts), size] of texts; one forward pass for all.

        They are cut after `max_tokens`, or after as many tokens as the language model reads.
        """
        batch = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=min(max_tokens, readable_tokens(self._model.config)),
            return_tensors="pt",
            return_token_type_ids=False,
            return_special_tokens_mask=True,
        )
        batch = batch.to(self._model.device)
        real = (1 - batch.pop("special_tokens_mask")).unsqueeze(-1).float()
        hidden = self._model(**batch).last_hidden_state
        return ((hidden * real).sum(1) / real.sum(1).clamp(min=1)).cpu().numpy()

    def embed_sorted(self, texts: Sequence[str], max_tokens: int, batch_size: int) -> Float32s:
        """Vectors [len(texts), size], in batches of texts of about one length."""
        vectors = np.zeros((len(texts), self.size), np.float32)
        order = np.argsort([len(text) for text in texts], kind="stable")
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            vectors[chosen] = self.embed([texts[i] for i in chosen], max_tokens)
        return vectors
