"""The models that several modules ask; making them costs seconds."""

import pytest
import torch

from dragon_core.artifacts import Artifact, ArtifactStore
from tests.qa.doors import fine_tuned_arms


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    torch.set_num_threads(1)
    return ArtifactStore(str(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="session")
def arms(store: ArtifactStore, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    """The questions, and what a model with and one without the graph answer."""
    return fine_tuned_arms(store, tmp_path_factory.mktemp("encoder"))
