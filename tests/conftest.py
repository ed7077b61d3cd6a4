import os

import pytest
from hypothesis import settings

# The tests run on all cores as it is; threads that share a core wait for each other in every operation. Set before
# PyTorch is imported, and so for the programs that tests start, too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A slow machine is no failure.
settings.register_profile("dragon", deadline=None)
settings.load_profile("dragon")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is allowed more time: were it last, a core would wait for the other."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)
