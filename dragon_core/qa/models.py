"""Models that answer questions: how they are opened, and what they are given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from dragon_core.artifacts import Artifact
from dragon_core.embedding import ENTITIES_NAME
from dragon_core.embedding.encoder import readable_tokens
from dragon_core.graph import KnowledgeGraph
from dragon_core.modeling import DragonForMultipleChoice, DragonForSequenceClassification
from dragon_core.qa.collator import QuestionCollator
from dragon_core.qa.dataset import Int64s, PreparedQuestions
from dragon_core.qa.errors import QuestionError
from dragon_core.training.graph_batch import GraphCollator
from dragon_core.training.graph_text import GraphSentences

QuestionModel = DragonForMultipleChoice | DragonForSequenceClassification


def open_model(folder: Path, classes: Sequence[str], entity_table: Artifact, use_graph: bool = True) -> QuestionModel:
    """A model that answers questions, of the weights in a folder; its head is new if there is none.

    Args:
        folder: As `save_pretrained` made it.
        classes: The choices, if they are the same of every question; else empty.
        entity_table: Vectors of the graph's nodes.
        use_graph: Whether it reads a graph, if what is in the folder does.
    """
    options: dict[str, Any] = {"num_labels": len(classes)} if classes else {}
    if not use_graph:
        options |= {"num_fusion_layers": -1, "graph_as_text": False}
    kind = DragonForSequenceClassification if classes else DragonForMultipleChoice
    model: QuestionModel = kind.from_pretrained(folder, **options)
    if model.config.has_graph:
        model.dragon.load_entities(entity_table.path(ENTITIES_NAME))
    return model


def new_collator(
    questions: PreparedQuestions,
    model: QuestionModel,
    tokenizer: PreTrainedTokenizerBase,
    graph: KnowledgeGraph,
    max_length: int,
) -> QuestionCollator:
    """What makes batches of questions in the form that a model reads.

    Raises:
        QuestionError: The language model reads fewer tokens than `max_length`.
    """
    most = readable_tokens(model.config.backbone)
    if max_length > most:
        raise QuestionError(
            f"max_length is {max_length}, and the language model reads {most} tokens at most; lower it."
        )
    graphs = GraphCollator(graph.num_relations) if model.config.has_graph else None
    sentences = GraphSentences(graph.names, graph.relations) if model.config.graph_as_text else None
    return QuestionCollator(questions, tokenizer, graphs, max_length, sentences)


def model_arguments(model: QuestionModel, collator: QuestionCollator, examples: Int64s) -> dict[str, Any]:
    """What a model reads of some questions."""
    arguments: dict[str, Any] = collator(examples)
    if isinstance(model, DragonForMultipleChoice):
        arguments["num_choices"] = torch.from_numpy(collator.questions.num_rows[examples])
    return arguments
