"""The methods of linking, by their parameters."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from dragon_core.artifacts import Artifact, Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking.dictionary import DictionaryLinker, build_dictionary
from dragon_core.linking.mention import EntityLinker
from dragon_core.linking.patterns import DictionaryParams

LinkingParams = Annotated[DictionaryParams, Field(discriminator="method")]


def build_linker(graph: KnowledgeGraph, params: LinkingParams, writer: Writer, progress: Progress) -> None:
    """Write the files of the linker of a graph."""
    build_dictionary(graph.nodes, params, writer, progress)


def open_linker(linker: Artifact) -> EntityLinker:
    """Open a linker artifact (`stage.BuildLinker`)."""
    params = TypeAdapter(LinkingParams).validate_python(linker.manifest.params)
    return DictionaryLinker.open(linker.folder, params)
