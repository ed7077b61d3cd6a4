"""Failures of the graph stage."""

from dragon_core.errors import DragonError


class GraphError(DragonError):
    """The tables of a graph contradict one another, or a folder holds no graph."""


class WordNetError(DragonError):
    """WordNet's files could not be obtained, or are not what they should be."""
