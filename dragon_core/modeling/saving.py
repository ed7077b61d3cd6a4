"""A model as files of an artifact."""

import shutil
from collections.abc import Mapping

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from dragon_core.artifacts import Draft


def save_pretrained(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    draft: Draft,
    weights: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Add to a draft what `from_pretrained` reads.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        draft: Where to.
        weights: What to save instead of the model's own weights.
    """
    folder = draft.scratch / "model"
    model.save_pretrained(folder, state_dict=None if weights is None else dict(weights))
    tokenizer.save_pretrained(folder)
    for file in sorted(folder.iterdir()):
        with draft.writing(file.name) as path:
            shutil.copyfile(file, path)
