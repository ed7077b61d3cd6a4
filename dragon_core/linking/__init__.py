"""Spans of text to nodes of the graph."""

from dragon_core.linking.errors import LinkingError
from dragon_core.linking.linkers import open_linker
from dragon_core.linking.mention import EntityLinker, Mention, Mentions
from dragon_core.linking.parameters import ConceptParams, DictionaryParams, LinkingParams, SpacyParams
from dragon_core.linking.schema import MENTIONS
from dragon_core.linking.stage import BuildLinker, LinkEntities, MentionParams

__all__ = [
    "MENTIONS",
    "BuildLinker",
    "ConceptParams",
    "DictionaryParams",
    "EntityLinker",
    "LinkEntities",
    "LinkingError",
    "LinkingParams",
    "Mention",
    "MentionParams",
    "Mentions",
    "SpacyParams",
    "open_linker",
]
