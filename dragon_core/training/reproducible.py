"""What makes two runs of the same stage give the same numbers."""

import torch
from accelerate.utils import set_seed


def make_reproducible(seed: int) -> None:
    """Seed all random numbers and, on a CPU, sum in a fixed order even with several threads.

    On a GPU the order of sums is left to the kernels: fixing it is slow, and cuBLAS needs a variable of the environment
    for it that must be set before Python starts.
    """
    set_seed(seed)
    torch.use_deterministic_algorithms(not torch.cuda.is_available())
