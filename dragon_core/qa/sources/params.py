"""What the parameters of question sets have in common."""

from typing import Literal

from pydantic import Field

from dragon_core.artifacts import Parameters


class QuestionSetParams(Parameters):
    """Base of the parameters of a question set."""

    max_reject_share: float = Field(
        0.01, ge=0, le=1, description="The stage fails when a larger share of a file's items cannot be read."
    )


class HiddenTestParams(QuestionSetParams):
    """Base for sets whose test comes without answers."""

    split: Literal["in-house", "official"] = Field(
        "in-house",
        description="in-house: test is the official dev, and dev a tenth of the official train; official: as published,"
        " where the answers of test are not known.",
    )
