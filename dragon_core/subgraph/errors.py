"""Failures of subgraph extraction."""

from dragon_core.errors import DragonError


class SubgraphError(DragonError):
    """Subgraphs cannot be extracted from what was given, or in the way that was asked for."""
