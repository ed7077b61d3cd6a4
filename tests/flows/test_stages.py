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
from dragon_core.graph import GraphError, KnowledgeGraph
from dragon_core.graph.triples import TriplesParams
from dragon_core.subgraph import SubgraphParams
from dragon_core.training import Execution, TrainingParams
from flows.sources import GraphSource
from flows.stages import (
    build_corpus,
    build_graph,
    build_linker,
    embed_nodes,
    extract_subgraphs,
    link_entities,
    train,
)
from flows.task_runners import Threads
from tests.graph.wordnet.dictionary import write_dictionary

pytestmark = pytest.mark.usefixtures("prefect_server")

TRAINING = TrainingParams(steps=2, warmup_steps=1, batch_size=4, node_size=16, interaction_size=16)
EXECUTION = Execution(num_threads=1)


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
    embed_nodes(store=store)
    subgraphs = extract_subgraphs(store=store)
    checkpoint = train(subgraphs=subgraphs[: len("subgraphs/") + 12], params=TRAINING, execution=EXECUTION, store=store)
    opened = ArtifactStore(store)
    assert {ancestor.role for ancestor in lineage(opened, opened.resolve(checkpoint))} >= {
        *("subgraphs", "mentions", "corpus", "linker", "graph", "entity_table", "text_vectors", "encoder", "source")
    }
    page = page_of("checkpoint")
    assert "| mlm loss |" in page
    assert "](data:image/png;base64,iVBOR" in page


def test_a_graph_is_made_of_several_sources(store: str, tmp_path: Path) -> None:
    triples = tmp_path / "triples.tsv"
    triples.write_text("head\trelation\ttail\ncat\tChases\tred ball\nred ball\tIsA\ttoy\n")
    mine = GraphSource(files=str(triples), params=TriplesParams())
    opened = ArtifactStore(store)
    alone = opened.resolve(build_graph(store=store)).manifest.counts
    combined = opened.resolve(build_graph((GraphSource(), mine), store=store))
    assert combined.manifest.counts["edges"] == alone["edges"] + 2
    graph = KnowledgeGraph.open(combined.folder)
    assert "red ball" in graph.ids_by_name
    # WordNet has `is a` too, and it is the same.
    assert [relation.name for relation in graph.relations].count("is a") == 1
    page = page_of("graph")
    assert "| chases | 1 |" in page
    assert "](data:image/png;base64,iVBOR" in page


def test_sources_without_files_are_refused(store: str) -> None:
    with pytest.raises(GraphError, match="to be made of triples; give its file or folder as `files`"):
        build_graph((GraphSource(params=TriplesParams()),), store=store)
    with pytest.raises(GraphError, match="has no source; give one in `graph`"):
        build_graph((), store=store)


def test_other_relevances_need_no_vectors(store: str) -> None:
    build_graph(store=store)
    build_corpus(CorpusParams(max_segments=5), store=store)
    build_linker(store=store)
    link_entities(task_runner=Threads(), store=store)
    for relevance in ("ppr", "lm"):
        params = SubgraphParams(relevance=relevance)
        subgraphs = extract_subgraphs(params=params, task_runner=Threads(), store=store)
        assert ArtifactStore(store).resolve(subgraphs).manifest.counts["nodes"] > 0


def test_a_stage_whose_input_is_missing_says_so(store: str) -> None:
    with pytest.raises(ArtifactNotFoundError, match="linker/latest"):
        link_entities(store=store)
    with pytest.raises(ArtifactNotFoundError, match=uuid.UUID(int=0).hex):
        train(subgraphs=f"subgraphs/{uuid.UUID(int=0).hex}", store=store)
