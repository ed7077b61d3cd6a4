"""A model as files of an artifact."""

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from dragon_core.artifacts import Draft


def save_pretrained(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, draft: Draft) -> None:
    """Add to a draft what `from_pretrained` reads."""
    folder = draft.scratch / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for file in sorted(folder.iterdir()):
        with draft.writing(file.name) as path:
            path.write_bytes(file.read_bytes())
