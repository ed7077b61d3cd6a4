"""The methods of linking: what each is built from, and how it is opened.

Only the method in use is imported: spaCy brings PyTorch with it.
"""

from pydantic import ValidationError

from dragon_core.artifacts import Artifact, ExternalFiles, Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.errors import first_problem
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking.errors import LinkingError
from dragon_core.linking.mention import EntityLinker
from dragon_core.linking.parameters import PARAMS, ConceptParams, DictionaryParams, LinkingParams, SpacyParams


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
            from dragon_core.linking.dictionary.linker import build_dictionary

            build_dictionary(graph.nodes, params, writer, progress)
        case SpacyParams():
            from dragon_core.linking.lemmas.linker import build_spacy

            build_spacy(graph.names, params, writer, progress)
        case ConceptParams():
            from dragon_core.linking.concept.annotations import read_pubtator
            from dragon_core.linking.concept.linker import build_concept

            documents = []
            if annotations is not None:
                ids = {key: node for node, key in enumerate(graph.nodes["key"].to_pylist())}
                documents = list(read_pubtator(annotations.root, ids))
            build_concept(graph.nodes, params, writer, progress, documents)


def open_linker(linker: Artifact) -> EntityLinker:
    """Open a linker artifact (`stage.BuildLinker`).

    Raises:
        LinkingError: It needs something that is not installed, or another version of this program made it.
    """
    try:
        params = PARAMS.validate_python(linker.manifest.params)
    except ValidationError as error:
        raise LinkingError(
            f"{linker.reference} was made by another version of this program ({first_problem(error)}); make it anew."
        ) from error
    match params:
        case DictionaryParams():
            from dragon_core.linking.dictionary.linker import DictionaryLinker

            return DictionaryLinker.open(linker.folder, params)
        case SpacyParams():
            from dragon_core.linking.lemmas.linker import LemmaLinker

            return LemmaLinker.open(linker.folder, params)
        case ConceptParams():
            from dragon_core.linking.concept.linker import ConceptLinker

            return ConceptLinker.open(linker.folder, params)
