"""The language models that can be fused, read layer by layer: BERT, RoBERTa, ELECTRA and DeBERTa-v2.

A new one needs three things of its AutoModel: how it embeds tokens, how its layers are called, and a pooler.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, PreTrainedConfig
from transformers.masking_utils import create_bidirectional_mask

WITH_POOLER = ("bert", "roberta")
BACKBONES = (*WITH_POOLER, "electra", "deberta-v2")


class Pooler(nn.Module):
    """BERT's pooler, for the models that come without one: a dense layer and tanh on the first token."""

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """[B, T, hidden] to [B, hidden]."""
        return torch.tanh(self.dense(hidden[:, 0]))


def new_backbone(config: PreTrainedConfig) -> Any:
    """A language model (`PreTrainedModel`) of random weights, with a `pooler`."""
    if config.model_type in WITH_POOLER:
        return AutoModel.from_config(config, add_pooling_layer=True)
    backbone = AutoModel.from_config(config)
    backbone.pooler = Pooler(config)
    return backbone


class LayerByLayer:
    """One pass through a language model, a layer at a time.

    Attributes:
        embedded: [B, T, hidden] what the first layer reads.
        attentions: [B, heads, T, T] of each layer so far, if they were asked for.
    """

    def __init__(
        self,
        backbone: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None,
        token_type_ids: torch.Tensor | None,
        output_attentions: bool,
    ) -> None:
        self._encoder = backbone.encoder
        self._output_attentions = output_attentions
        self.attentions: list[torch.Tensor] = []
        self._is_deberta = backbone.config.model_type == "deberta-v2"
        if self._is_deberta:
            attention_mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
            self.embedded = backbone.embeddings(input_ids=input_ids, token_type_ids=token_type_ids, mask=attention_mask)
            self._token_mask = attention_mask
            self._mask = self._encoder.get_attention_mask(attention_mask)
            self._relative = {
                "relative_pos": self._encoder.get_rel_pos(self.embedded),
                "rel_embeddings": self._encoder.get_rel_embedding(),
            }
        else:
            self.embedded = backbone.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
            if hasattr(backbone, "embeddings_project"):
                self.embedded = backbone.embeddings_project(self.embedded)
            self._mask = create_bidirectional_mask(
                config=backbone.config, inputs_embeds=self.embedded, attention_mask=attention_mask
            )

    def __len__(self) -> int:
        """How many layers there are."""
        return len(self._encoder.layer)

    def layer(self, index: int, text: torch.Tensor) -> torch.Tensor:
        """What a layer makes of [B, T, hidden].

        Raises:
            ValueError: Attentions were asked for, and the attention in use does not compute them.
        """
        module = self._encoder.layer[index]
        if self._is_deberta:
            return self._deberta_layer(module, index, text)
        if not self._output_attentions:
            hidden: torch.Tensor = module(text, self._mask)
            return hidden
        with _captured_attention(module) as attentions:
            hidden = module(text, self._mask)
        if attentions[0] is None:
            raise ValueError("attentions are computed only by models loaded with attn_implementation='eager'")
        self.attentions.append(attentions[0])
        return hidden

    def _deberta_layer(self, module: Any, index: int, text: torch.Tensor) -> torch.Tensor:
        hidden, attention = module(text, self._mask, output_attentions=self._output_attentions, **self._relative)
        if self._output_attentions:
            self.attentions.append(attention)
        if index == 0 and self._encoder.conv is not None:
            hidden = self._encoder.conv(text, hidden, self._token_mask)
        result: torch.Tensor = hidden
        return result


@contextmanager
def _captured_attention(module: Any) -> Iterator[list[torch.Tensor | None]]:
    found: list[torch.Tensor | None] = []
    handle = module.attention.self.register_forward_hook(lambda _, inputs, output: found.append(output[1]))
    try:
        yield found
    finally:
        handle.remove()
