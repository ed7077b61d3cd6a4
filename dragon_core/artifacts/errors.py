"""Failures of the artifact store."""

from dragon_core.errors import DragonError


class ArtifactNotFoundError(DragonError):
    """A reference names an artifact that the store does not hold."""


class StorageFullError(DragonError):
    """The disk that holds the store (or its temporary files) is full."""


class TooManyRejectsError(DragonError):
    """More records were rejected than the configured share allows."""
