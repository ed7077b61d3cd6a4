"""Spans of text to nodes of the graph."""

from dragon_core.linking.linkers import LinkingParams, open_linker
from dragon_core.linking.mention import EntityLinker, Mention, Mentions
from dragon_core.linking.patterns import DictionaryParams
from dragon_core.linking.schema import MENTIONS
from dragon_core.linking.stage import BuildLinker, LinkEntities, MentionParams

__all__ = [
    "MENTIONS",
    "BuildLinker",
    "DictionaryParams",
    "EntityLinker",
    "LinkEntities",
    "LinkingParams",
    "Mention",
    "MentionParams",
    "Mentions",
    "open_linker",
]
