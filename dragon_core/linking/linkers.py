"""The methods of linking: what each is built from, and how it is opened."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from dragon_core.artifacts import Artifact, ExternalFiles, Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking.concept.annotations import read_pubtator
from dragon_core.linking.concept.linker import ConceptLinker, ConceptParams, build_concept
from dragon_core.linking.dictionary.linker import DictionaryLinker, build_dictionary
from dragon_core.linking.dictionary.patterns import DictionaryParams
from dragon_core.linking.lemmas.linker import LemmaLinker, SpacyParams, build_spacy
from dragon_core.linking.mention import EntityLinker

LinkingParams = Annotated[DictionaryParams | SpacyParams | ConceptParams, Field(discriminator="method")]
PARAMS: TypeAdapter[LinkingParams] = TypeAdapter(LinkingParams)


def build_linker(
    graph: KnowledgeGraph, params: LinkingParams, annotations: ExternalFiles | None, writer: Writer, progress: Progress
) -> None:
    """Write the files of the linker of a graph.

    Args:
        graph: Whose nodes are to be found.
        params: The method and its options.
        annotations: PubTator file of documents whose mentions are marked with keys of nodes; for `concept` only.
        writer: Takes the files.
        progress: Told of names or steps done.

    Raises:
        LinkingError: The method cannot be built here, or the annotations cannot be read.
    """
    match params:
        case DictionaryParams():
            build_dictionary(graph.nodes, params, writer, progress)
        case SpacyParams():
            build_spacy(graph.names, params, writer, progress)
        case ConceptParams():
            documents = []
            if annotations is not None:
                ids = {key: node for node, key in enumerate(graph.nodes["key"].to_pylist())}
                documents = list(read_pubtator(annotations.root, ids))
            build_concept(graph.nodes, params, writer, progress, documents)


def open_linker(linker: Artifact) -> EntityLinker:
    """Open a linker artifact (`stage.BuildLinker`).

    Raises:
        LinkingError: It needs something that is not installed.
    """
    params = PARAMS.validate_python(linker.manifest.params)
    match params:
        case DictionaryParams():
            return DictionaryLinker.open(linker.folder, params)
        case SpacyParams():
            return LemmaLinker.open(linker.folder, params)
        case ConceptParams():
            return ConceptLinker.open(linker.folder, params)
