"""Where models compute."""

import torch


def best_device() -> torch.device:
    """The GPU that is this process's, or the CPU if there is none."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
