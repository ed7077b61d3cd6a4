"""Opens what extracts subgraphs, with the relevance that its parameters ask for."""

from pathlib import Path

import numpy as np

from dragon_core.embedding import ENTITIES_NAME
from dragon_core.graph import KnowledgeGraph
from dragon_core.subgraph.errors import SubgraphError
from dragon_core.subgraph.extraction import SubgraphExtractor, followed_edges
from dragon_core.subgraph.params import SubgraphParams
from dragon_core.subgraph.relevance import (
    DegreeRelevance,
    LanguageModelRelevance,
    PageRankRelevance,
    RandomRelevance,
    Relevance,
    SimilarityRelevance,
)


def open_extractor(
    graph: KnowledgeGraph, params: SubgraphParams, entity_table: Path | None, encoder: Path | None
) -> SubgraphExtractor:
    """Open what extracts subgraphs by some parameters.

    Args:
        graph: The graph.
        params: What to extract.
        entity_table: Folder of the graph's entity table, for `similarity`.
        encoder: Folder of the language model, for `lm`.

    Raises:
        SubgraphError: The entity table has not a row a node.
    """
    return SubgraphExtractor(graph, params, _relevance(graph, params, entity_table, encoder))


def _relevance(
    graph: KnowledgeGraph, params: SubgraphParams, entity_table: Path | None, encoder: Path | None
) -> Relevance:
    match params.relevance:
        case "similarity":
            assert entity_table is not None
            vectors = np.load(entity_table / ENTITIES_NAME, mmap_mode="r").view(np.ndarray)
            if len(vectors) != graph.num_nodes:
                raise SubgraphError(
                    f"The entity table {entity_table} has {len(vectors)} rows, the graph {graph.num_nodes} nodes: it is"
                    " of another graph."
                )
            return SimilarityRelevance(vectors)
        case "lm":
            from dragon_core.embedding.likelihood import LikelihoodScorer

            assert encoder is not None
            return LanguageModelRelevance(LikelihoodScorer.load(encoder), graph.names)
        case "ppr":
            return PageRankRelevance(followed_edges(graph, params.relations))
        case "degree":
            return DegreeRelevance()
        case "random":
            return RandomRelevance(params.seed)
