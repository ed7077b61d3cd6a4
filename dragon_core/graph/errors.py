"""Failures of the graph stage."""

from dragon_core.errors import DragonError


class GraphError(DragonError):
    """A knowledge source cannot be read as it should, a graph's tables are at odds, or a folder holds no graph."""


class WordNetError(DragonError):
    """WordNet's files could not be obtained, or are not what they should be."""
