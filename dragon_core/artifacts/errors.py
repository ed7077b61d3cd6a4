"""Failures of the artifact store."""

from dragon_core.errors import DragonError


class ArtifactNotFoundError(DragonError):
    """A reference names an artifact that the store does not hold."""


class ArtifactVersionError(DragonError):
    """Another version of this program made an artifact, which this one cannot read."""


class ArtifactBusyError(DragonError):
    """Another process makes the same artifact."""


class StoreUrlError(DragonError):
    """The URL of a store is of no kind that can be opened here."""


class StorageFullError(DragonError):
    """The disk that holds the store (or its temporary files) is full."""


class TooManyRejectsError(DragonError):
    """More records were rejected than the configured share allows."""
