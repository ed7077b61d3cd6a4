"""Every stage as a flow that runs alone, on artifacts that are in the store.

Artifacts are named STAGE/KEY, STAGE/ and the unique beginning of a key, or STAGE/latest.
"""

from prefect import flow
from prefect.task_runners import ProcessPoolTaskRunner

from dragon_core.artifacts import ArtifactReference, ArtifactStore
from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.graph.stage import BuildGraph, GraphParams
from dragon_core.linking import BuildLinker, DictionaryParams, LinkEntities, LinkingParams, MentionParams
from dragon_core.modeling.entity_embedding import EmbedNodes, EntityTableParams
from dragon_core.subgraph import ExtractSubgraphs, SubgraphParams
from dragon_core.training import Pretrain, TrainingParams
from flows.sources import annotation_files, corpus_files, encoder_files, wordnet_files
from flows.stage_runner import run_stage

STORE = ".dragon/store"


def _resolved(store: str, name: str) -> ArtifactReference:
    return ArtifactStore(store).resolve(name).reference


@flow(name="build-graph")
def build_graph(params: GraphParams = GraphParams(), store: str = STORE) -> str:
    """Build the knowledge graph."""
    return str(run_stage(BuildGraph(source=wordnet_files(), params=params), store))


@flow(name="build-corpus")
def build_corpus(params: CorpusParams = CorpusParams(), text_folder: str | None = None, store: str = STORE) -> str:
    """Read and segment the corpus."""
    return str(run_stage(BuildCorpus(source=corpus_files(params, text_folder), params=params), store))


@flow(name="build-linker")
def build_linker(
    graph: str = "graph/latest",
    annotations: str | None = None,
    params: LinkingParams = DictionaryParams(),
    store: str = STORE,
) -> str:
    """Build what finds a graph's nodes in text."""
    marked = annotation_files(annotations)
    return str(run_stage(BuildLinker(graph=_resolved(store, graph), annotations=marked, params=params), store))


@flow(name="link-entities", task_runner=ProcessPoolTaskRunner())  # type: ignore[arg-type]
def link_entities(
    corpus: str = "corpus/latest",
    linker: str = "linker/latest",
    params: MentionParams = MentionParams(),
    store: str = STORE,
) -> str:
    """Link a corpus to a graph."""
    built = ArtifactStore(store).resolve(linker)
    graph = built.manifest.inputs["graph"].reference
    stage = LinkEntities(corpus=_resolved(store, corpus), graph=graph, linker=built.reference, params=params)
    return str(run_stage(stage, store))


@flow(name="extract-subgraphs", task_runner=ProcessPoolTaskRunner())  # type: ignore[arg-type]
def extract_subgraphs(
    mentions: str = "mentions/latest", params: SubgraphParams = SubgraphParams(), store: str = STORE
) -> str:
    """Extract the subgraphs of a linked corpus."""
    linked = ArtifactStore(store).resolve(mentions)
    made_from = {name: record.reference for name, record in linked.manifest.inputs.items()}
    stage = ExtractSubgraphs(
        mentions=linked.reference, corpus=made_from["corpus"], graph=made_from["graph"], params=params
    )
    return str(run_stage(stage, store))


@flow(name="embed-nodes")
def embed_nodes(
    graph: str = "graph/latest",
    encoder: str = "embedded",
    params: EntityTableParams = EntityTableParams(),
    store: str = STORE,
) -> str:
    """Make the entity table of a graph."""
    stage = EmbedNodes(graph=_resolved(store, graph), encoder=encoder_files(encoder), params=params)
    return str(run_stage(stage, store))


@flow(name="train")
def train(
    subgraphs: str = "subgraphs/latest",
    entity_table: str = "entity-table/latest",
    encoder: str = "embedded",
    params: TrainingParams = TrainingParams(),
    store: str = STORE,
) -> str:
    """Pretrain on subgraphs."""
    shards = ArtifactStore(store).resolve(subgraphs)
    stage = Pretrain(
        subgraphs=shards.reference,
        graph=shards.manifest.inputs["graph"].reference,
        entity_table=_resolved(store, entity_table),
        encoder=encoder_files(encoder),
        params=params,
    )
    return str(run_stage(stage, store))
