import uuid
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from dragon_core.artifacts import ArtifactStore
from dragon_core.artifacts.errors import ArtifactNotFoundError
from dragon_core.artifacts.lineage import lineage
from dragon_core.corpus import CorpusParams
from dragon_core.training import TrainingParams
from flows.stages import (
    build_corpus,
    build_graph,
    build_linker,
    embed_nodes,
    extract_subgraphs,
    link_entities,
    train,
)
from tests.graph.dictionary import write_dictionary

pytestmark = pytest.mark.usefixtures("prefect_server")

TRAINING = TrainingParams(steps=2, warmup_steps=1, batch_size=4, node_size=16, interaction_size=16, num_threads=1)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WORDNET_DIR", str(write_dictionary(tmp_path / "dictionary")))
    return str(tmp_path / "store")


def page_of(key: str) -> str:
    """The newest page with this key in the UI."""
    with get_client(sync_client=True) as client:
        of_key = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        return str(client.read_artifacts(artifact_filter=of_key, sort=ArtifactSort.CREATED_DESC, limit=1)[0].data)


def test_each_stage_runs_alone_on_what_the_store_has(store: str) -> None:
    build_graph(store=store)
    build_corpus(CorpusParams(segments_per_shard=200), store=store)
    build_linker(store=store)
    link_entities(store=store)
    subgraphs = extract_subgraphs(store=store)
    embed_nodes(store=store)
    checkpoint = train(subgraphs=subgraphs[: len("subgraphs/") + 12], params=TRAINING, store=store)
    opened = ArtifactStore(store)
    assert {ancestor.role for ancestor in lineage(opened, opened.resolve(checkpoint))} >= {
        *("subgraphs", "mentions", "corpus", "linker", "graph", "entity_table", "encoder", "source")
    }
    page = page_of("checkpoint")
    assert "| mlm loss |" in page
    assert "](data:image/png;base64,iVBOR" in page


def test_a_stage_whose_input_is_missing_says_so(store: str) -> None:
    with pytest.raises(ArtifactNotFoundError, match="linker/latest"):
        link_entities(store=store)
    with pytest.raises(ArtifactNotFoundError, match=uuid.UUID(int=0).hex):
        train(subgraphs=f"subgraphs/{uuid.UUID(int=0).hex}", store=store)
