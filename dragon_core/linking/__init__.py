"""Spans of text to nodes of the graph."""

from dragon_core.linking.concept.linker import ConceptParams
from dragon_core.linking.dictionary.patterns import DictionaryParams
from dragon_core.linking.errors import LinkingError
from dragon_core.linking.lemmas.linker import SpacyParams
from dragon_core.linking.linkers import LinkingParams, open_linker
from dragon_core.linking.mention import EntityLinker, Mention, Mentions
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
