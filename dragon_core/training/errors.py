"""Failures of the training stage."""

from dragon_core.errors import DragonError


class TrainingError(DragonError):
    """The data, the encoder and the settings do not fit together."""


class NonFiniteLossError(TrainingError):
    """The loss, or its gradient, became NaN or infinite."""


class TrainingInterruptedError(TrainingError):
    """The run was told to end before its last step."""
