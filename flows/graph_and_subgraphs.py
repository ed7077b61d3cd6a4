"""Steps that several stages make: a graph of several sources, and subgraphs with what scores their nodes."""

from collections.abc import Sequence
from typing import Any

from prefect.task_runners import TaskRunner

from dragon_core.artifacts import ArtifactReference, ExternalFiles
from dragon_core.embedding import EmbedTexts, TextVectorParams
from dragon_core.graph.stage import BuildGraph, CombineGraphs
from dragon_core.subgraph import ExtractSubgraphs, SubgraphParams
from flows.sources import GraphSource
from flows.stage_runner import run_stage


def graph_of(sources: Sequence[GraphSource], files: Sequence[ExternalFiles], store: str) -> ArtifactReference:
    """Build the graph of each source, and combine them in their order."""
    built = [
        run_stage(BuildGraph(source=found, params=source.params), store)
        for source, found in zip(sources, files, strict=True)
    ]
    combined = built[0]
    for graph in built[1:]:
        combined = run_stage(CombineGraphs(first=combined, second=graph), store)
    return combined


def subgraphs_of(
    mentions: ArtifactReference,
    corpus: ArtifactReference,
    graph: ArtifactReference,
    entity_table: ArtifactReference | None,
    encoder: ExternalFiles | None,
    text_vectors: TextVectorParams,
    params: SubgraphParams,
    store: str,
    runner: TaskRunner[Any],
) -> ArtifactReference:
    """Extract the subgraphs of a linked corpus, with the inputs that the relevance of their nodes needs."""
    linked = {"mentions": mentions, "corpus": corpus, "graph": graph}
    if params.compares_vectors:
        assert encoder is not None
        vectors = run_stage(EmbedTexts(corpus=corpus, encoder=encoder, params=text_vectors), store, runner)
        stage = ExtractSubgraphs(**linked, entity_table=entity_table, text_vectors=vectors, params=params)
    else:
        stage = ExtractSubgraphs(**linked, encoder=encoder if params.scores_texts else None, params=params)
    return run_stage(stage, store, runner)
