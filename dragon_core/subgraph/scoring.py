"""The relevance that parameters ask for, and what each needs."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import numpy as np

from dragon_core.artifacts import Artifact, ArtifactReference
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


def check_origins(expected: Iterable[tuple[Artifact, str, ArtifactReference]]) -> None:
    """Refuse inputs that were made from another graph or corpus than the one that is given.

    Args:
        expected: An artifact, its input's name, and what that has to be.

    Raises:
        SubgraphError: One was made from another.
    """
    for artifact, role, reference in expected:
        origin = artifact.manifest.origin(role)
        if origin != reference:
            raise SubgraphError(
                f"{artifact.reference} was made from {origin}, not from {reference}; give inputs of one {role}."
            )


def check_encoder(artifact: Artifact, digest: str) -> None:
    """Refuse vectors of another encoder than the one whose files have a digest.

    Raises:
        SubgraphError: They are.
    """
    if artifact.manifest.inputs["encoder"].digest != digest:
        raise SubgraphError(
            f"{artifact.reference} and what it is compared with are vectors of two encoders; make both with the same."
        )


def check_inputs(params: SubgraphParams, needs: Mapping[str, Collection[str]], **given: object) -> None:
    """Compare what a stage was given with what its relevance needs.

    Args:
        params: Of the stage.
        needs: Names of the inputs that a relevance reads, by its name.
        given: The optional inputs; None: not given.

    Raises:
        SubgraphError: One is missing, or is given and never read.
    """
    needed = needs.get(params.relevance, ())
    missing = [name for name in needed if given[name] is None]
    if missing:
        raise SubgraphError(
            f"Relevance by {params.relevance} needs {' and '.join(missing)}; give it, or choose another relevance."
        )
    unread = [name for name, value in given.items() if value is not None and name not in needed]
    if unread:
        raise SubgraphError(f"Relevance by {params.relevance} does not read {' and '.join(unread)}; give none.")
