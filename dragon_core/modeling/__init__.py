"""The DRAGON model, and the language models it is built on."""

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.modeling_dragon import (
    DragonForMultipleChoice,
    DragonForPreTraining,
    DragonForSequenceClassification,
    DragonModel,
)

__all__ = [
    "DragonConfig",
    "DragonForMultipleChoice",
    "DragonForPreTraining",
    "DragonForSequenceClassification",
    "DragonModel",
]
