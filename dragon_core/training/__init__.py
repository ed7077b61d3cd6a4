"""Pretraining: subgraph shards to a model, by masked language modelling and link prediction together."""

from dragon_core.training.errors import NonFiniteLossError, TrainingError
from dragon_core.training.parameters import Execution, ModelParams, TrainingParams
from dragon_core.training.stage import Pretrain
from dragon_core.training.untrained_model import UntrainedModel, UntrainedModelParams

__all__ = [
    "Execution",
    "ModelParams",
    "NonFiniteLossError",
    "Pretrain",
    "TrainingError",
    "TrainingParams",
    "UntrainedModel",
    "UntrainedModelParams",
]
