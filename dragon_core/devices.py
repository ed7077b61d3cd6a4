"""Where models compute."""

import torch


def best_device() -> torch.device:
    """The current GPU, which is the first one unless somebody chose another; the CPU if there is none."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
