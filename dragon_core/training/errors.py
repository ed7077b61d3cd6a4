"""Failures of the training stage."""

from dragon_core.errors import DragonError


class TrainingError(DragonError):
    """The data, the encoder and the settings do not fit together."""


class NonFiniteLossError(TrainingError):
    """The loss became NaN or infinite."""
