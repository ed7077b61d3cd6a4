import pytest
import torch

# A GPU sums in any order.
on_a_cpu = pytest.mark.skipif(
    torch.cuda.is_available(), reason="the same bit for bit on a CPU alone, and here is a GPU"
)
