"""Every stage as a flow that runs alone, on artifacts that are in the store.

Artifacts are named STAGE/KEY, STAGE/ and the unique beginning of a key, or STAGE/latest.
"""

from prefect import flow

from dragon_core.artifacts import ArtifactReference, ArtifactStore
from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.embedding import EmbedNodes, EntityTableParams, TextVectorParams
from dragon_core.linking import BuildLinker, DictionaryParams, LinkEntities, LinkingParams, MentionParams
from dragon_core.subgraph import SubgraphParams
from dragon_core.training import Execution, Pretrain, TrainingParams
from flows.graph_and_subgraphs import graph_of, subgraphs_of
from flows.sources import GraphSource, annotation_files, corpus_files, encoder_files, graph_files
from flows.stage_runner import run_stage
from flows.task_runners import Processes, TaskRunnerParams, started

STORE = ".dragon/store"


def _resolved(store: str, name: str) -> ArtifactReference:
    return ArtifactStore(store).resolve(name).reference


@flow(name="build-graph")
def build_graph(graph: tuple[GraphSource, ...] = (GraphSource(),), store: str = STORE) -> str:
    """Build the knowledge graph, of one source or of several."""
    return str(graph_of(graph, graph_files(graph), store))


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


@flow(name="link-entities")
def link_entities(
    corpus: str = "corpus/latest",
    linker: str = "linker/latest",
    params: MentionParams = MentionParams(),
    task_runner: TaskRunnerParams = Processes(),
    store: str = STORE,
) -> str:
    """Link a corpus to a graph."""
    built = ArtifactStore(store).resolve(linker)
    graph = built.manifest.inputs["graph"].reference
    stage = LinkEntities(corpus=_resolved(store, corpus), graph=graph, linker=built.reference, params=params)
    with started(task_runner) as runner:
        return str(run_stage(stage, store, runner))


@flow(name="extract-subgraphs")
def extract_subgraphs(
    mentions: str = "mentions/latest",
    entity_table: str = "entity-table/latest",
    encoder: str = "embedded",
    params: SubgraphParams = SubgraphParams(),
    text_vectors: TextVectorParams = TextVectorParams(),
    task_runner: TaskRunnerParams = Processes(),
    store: str = STORE,
) -> str:
    """Extract the subgraphs of a linked corpus; the encoder is that of the entity table."""
    linked = ArtifactStore(store).resolve(mentions)
    is_read = params.compares_vectors or params.scores_texts
    with started(task_runner) as runner:
        shards = subgraphs_of(
            linked.reference,
            corpus=linked.manifest.origin("corpus"),
            graph=linked.manifest.origin("graph"),
            entity_table=_resolved(store, entity_table) if params.compares_vectors else None,
            encoder=encoder_files(encoder) if is_read else None,
            text_vectors=text_vectors,
            params=params,
            store=store,
            runner=runner,
        )
    return str(shards)


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
    execution: Execution = Execution(),
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
        execution=execution,
    )
    return str(run_stage(stage, store))
