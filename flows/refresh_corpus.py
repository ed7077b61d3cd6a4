"""The flow `refresh-corpus`: brings corpus, mentions and subgraphs up to date with their sources, without training."""

from prefect import flow
from prefect.task_runners import ProcessPoolTaskRunner

from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.graph.stage import BuildGraph, GraphParams
from dragon_core.linking import BuildLinker, DictionaryParams, LinkEntities, LinkingParams, MentionParams
from dragon_core.subgraph import ExtractSubgraphs, SubgraphParams
from flows.sources import annotation_files, corpus_files, wordnet_files
from flows.stage_runner import run_stage


@flow(name="refresh-corpus", task_runner=ProcessPoolTaskRunner())  # type: ignore[arg-type]
def refresh_corpus(
    graph: GraphParams = GraphParams(),
    corpus: CorpusParams = CorpusParams(),
    linking: LinkingParams = DictionaryParams(),
    mentions: MentionParams = MentionParams(),
    subgraphs: SubgraphParams = SubgraphParams(),
    text_folder: str | None = None,
    annotations: str | None = None,
    store: str = ".dragon/store",
) -> str:
    """Read the sources again; what has not changed is not made again.

    Args:
        graph: The knowledge graph.
        corpus: The text corpus.
        linking: How text is linked to the graph.
        mentions: Which segments are linked.
        subgraphs: How subgraphs are extracted.
        text_folder: Folder of the corpus, if its source is text.
        annotations: PubTator file that linking by concept learns from.
        store: Where the artifacts lie, a folder or a URL.

    Returns:
        Reference of the subgraphs.
    """
    marked = annotation_files(annotations)
    nodes = run_stage(BuildGraph(source=wordnet_files(), params=graph), store)
    texts = run_stage(BuildCorpus(source=corpus_files(corpus, text_folder), params=corpus), store)
    linker = run_stage(BuildLinker(graph=nodes, annotations=marked, params=linking), store)
    linked = run_stage(LinkEntities(corpus=texts, graph=nodes, linker=linker, params=mentions), store)
    return str(run_stage(ExtractSubgraphs(mentions=linked, corpus=texts, graph=nodes, params=subgraphs), store))
