"""Failures of question answering."""

from dragon_core.errors import DragonError


class QuestionError(DragonError):
    """Questions cannot be made or read."""
