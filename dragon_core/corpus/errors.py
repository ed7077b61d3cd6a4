"""Failures of the corpus stage."""

from dragon_core.errors import DragonError


class CorpusError(DragonError):
    """A corpus cannot be read."""


class EmptyCorpusError(CorpusError):
    """A corpus holds no text to pretrain on."""
