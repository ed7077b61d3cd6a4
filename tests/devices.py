import pytest
import torch

on_a_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU sums in any order")
