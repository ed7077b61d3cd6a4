"""Spans of text to nodes of the graph."""

from dragon_core.linking.dictionary import DictionaryLinker, LinkingParams
from dragon_core.linking.mention import EntityLinker, Mention
from dragon_core.linking.schema import MENTIONS
from dragon_core.linking.stage import LinkEntities

__all__ = ["MENTIONS", "DictionaryLinker", "EntityLinker", "LinkEntities", "LinkingParams", "Mention"]
