"""What the models return."""

from dataclasses import dataclass

import torch
from transformers.utils.generic import ModelOutput


@dataclass
class DragonModelOutput(ModelOutput):
    """Output of `DragonModel` for B texts of T tokens and N nodes in all.

    Attributes:
        last_hidden_state: [B, T, hidden] text.
        pooler_output: [B, hidden] pooled first token, or the mean of the tokens.
        node_hidden_state: [N, node_size] nodes; None for the LM alone.
        context_positions: [B] position of each text's context node among the nodes; None for the LM alone.
        attentions: [B, heads, T, T] of each layer of the language model, on request.
        node_attentions: [heads x (E + N)] of each graph layer, on request: for each head the edges in the order given,
            then the nodes' self loops. Those of a source sum to 1.
    """

    last_hidden_state: torch.Tensor | None = None
    pooler_output: torch.Tensor | None = None
    node_hidden_state: torch.Tensor | None = None
    context_positions: torch.Tensor | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    node_attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class DragonForPreTrainingOutput(ModelOutput):
    """Output of `DragonForPreTraining`; an objective without a target has loss 0.

    Attributes:
        loss: Sum of the objectives' losses.
        mlm_loss: Mean cross entropy over the masked tokens.
        link_loss: (positive + negative) / 2 + regularisation.
        link_positive_loss: Mean of -log sigmoid of the true triples' scores.
        link_negative_loss: The negatives' part, self-adversarially weighted if configured.
        link_regularization: The regularisation.
        mlm_logits: [M, vocabulary] at the M masked tokens, in order.
        positive_scores: [P] of the true triples.
        negative_scores: [P, K] of the corrupted ones.
        candidate_scores: [P, C] of the candidates, if any were given.
        model: Output of the encoder.
    """

    loss: torch.Tensor | None = None
    mlm_loss: torch.Tensor | None = None
    link_loss: torch.Tensor | None = None
    link_positive_loss: torch.Tensor | None = None
    link_negative_loss: torch.Tensor | None = None
    link_regularization: torch.Tensor | None = None
    mlm_logits: torch.Tensor | None = None
    positive_scores: torch.Tensor | None = None
    negative_scores: torch.Tensor | None = None
    candidate_scores: torch.Tensor | None = None
    model: DragonModelOutput | None = None


@dataclass
class DragonForMultipleChoiceOutput(ModelOutput):
    """Output of `DragonForMultipleChoice`.

    Attributes:
        loss: Mean cross entropy, summed over the parts of the logits (`heads.AnswerClassifier`), if labels were given.
        logits: [questions, most choices]; -inf where a question has fewer.
        node_attention: [heads, N] attention of the question over its nodes; None for the LM alone.
        model: Output of the encoder.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    node_attention: torch.Tensor | None = None
    model: DragonModelOutput | None = None


@dataclass
class DragonForSequenceClassificationOutput(ModelOutput):
    """Output of `DragonForSequenceClassification`.

    Attributes:
        loss: As the problem type says, likewise, if labels were given.
        logits: [B, num_labels].
        node_attention: [heads, N] attention of the text over its nodes; None for the LM alone.
        model: Output of the encoder.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    node_attention: torch.Tensor | None = None
    model: DragonModelOutput | None = None
