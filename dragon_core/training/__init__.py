"""Pretraining: subgraph shards to a model, by masked language modelling and link prediction together."""

from dragon_core.training.errors import NonFiniteLossError, TrainingError
from dragon_core.training.graph_batch import GraphCollator, Subgraphs, count_edge_types
from dragon_core.training.graph_text import GraphSentences
from dragon_core.training.new_model import UntrainedModel, UntrainedModelParams
from dragon_core.training.parameters import Execution, ModelParams, TrainingParams
from dragon_core.training.stage import Pretrain

__all__ = [
    "Execution",
    "GraphCollator",
    "GraphSentences",
    "ModelParams",
    "NonFiniteLossError",
    "Pretrain",
    "Subgraphs",
    "TrainingError",
    "TrainingParams",
    "UntrainedModel",
    "UntrainedModelParams",
    "count_edge_types",
]
