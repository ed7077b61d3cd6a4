"""What the parameters of all knowledge sources have in common."""

from pydantic import Field

from dragon_core.artifacts import Parameters


class SourceParams(Parameters):
    """Base of the parameters of a knowledge source."""

    max_reject_share: float = Field(
        0.01, ge=0, le=1, description="The stage fails when a larger share of the source's records cannot be read."
    )
