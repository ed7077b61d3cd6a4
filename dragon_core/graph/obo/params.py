"""What is read of an ontology."""

from typing import Literal

from pydantic import Field

from dragon_core.graph.source_params import SourceParams

Scope = Literal["EXACT", "BROAD", "NARROW", "RELATED"]


class OboParams(SourceParams):
    """An ontology in the OBO format, with the annotation tables of HPO if they are beside it."""

    source: Literal["obo"] = "obo"
    synonym_scopes: tuple[Scope, ...] = Field(
        ("EXACT",), description="Synonyms of these scopes become aliases; those of the others have another meaning."
    )
