"""Pretraining: subgraph shards to a model, by masked language modelling and link prediction together."""

from dragon_core.training.errors import NonFiniteLossError, TrainingError
from dragon_core.training.graph_batch import GraphCollator, Subgraphs, count_edge_types
from dragon_core.training.graph_text import GraphSentences
from dragon_core.training.parameters import Execution, TrainingParams
from dragon_core.training.stage import Pretrain

__all__ = [
    "Execution",
    "GraphCollator",
    "GraphSentences",
    "NonFiniteLossError",
    "Pretrain",
    "Subgraphs",
    "TrainingError",
    "TrainingParams",
    "count_edge_types",
]
