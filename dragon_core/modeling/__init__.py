"""The DRAGON model, the language models it is built on, and the entity table it reads."""

from dragon_core.modeling.configuration_dragon import DragonConfig
from dragon_core.modeling.encoder import EncoderError, find_encoder
from dragon_core.modeling.entity_embedding import EmbedNodes, EntityTableParams
from dragon_core.modeling.entity_table import ENTITIES_NAME
from dragon_core.modeling.modeling_dragon import (
    DragonForMultipleChoice,
    DragonForPreTraining,
    DragonForSequenceClassification,
    DragonModel,
)

__all__ = [
    "ENTITIES_NAME",
    "DragonConfig",
    "DragonForMultipleChoice",
    "DragonForPreTraining",
    "DragonForSequenceClassification",
    "DragonModel",
    "EmbedNodes",
    "EncoderError",
    "EntityTableParams",
    "find_encoder",
]
