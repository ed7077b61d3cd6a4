"""The entity table: one vector a node of the graph, which is what the model first knows of a concept.

A node's vector is the mean of the language model's last hidden states over the tokens of its name.
"""

from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from transformers import AutoModel, AutoTokenizer

from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Parameters, Progress, Stage
from dragon_core.graph import KnowledgeGraph
from dragon_core.modeling.entity_table import ENTITIES_NAME


class EntityTableParams(Parameters):
    """How nodes are embedded."""

    batch_size: int = Field(256, ge=1, description="Names that the language model reads at once.")
    max_tokens: int = Field(16, ge=3, description="Tokens after which a name is cut.")


class EmbedNodes(Stage):
    """Embeds the name of every node with the language model."""

    name = "entity-table"
    version = 1
    graph: ArtifactReference
    encoder: ExternalFiles
    params: EntityTableParams = EntityTableParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write `entities.npy`."""
        names = KnowledgeGraph.open(inputs.graph.folder).names
        table = embed_names(names, self.encoder.root, self.params, progress)
        with draft.writing(ENTITIES_NAME) as path, path.open("wb") as file:
            np.save(file, table)
        draft.count(entities=len(table), entity_size=table.shape[1])


@torch.inference_mode()
def embed_names(
    names: list[str], encoder: Path, params: EntityTableParams, progress: Progress
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Vectors [len(names), hidden size] of names, float32."""
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModel.from_pretrained(encoder, add_pooling_layer=False).eval()
    table = np.zeros((len(names), model.config.hidden_size), dtype=np.float32)
    # Names of one length side by side need no padding.
    order = sorted(range(len(names)), key=lambda i: (len(names[i]), i))
    for start in range(0, len(order), params.batch_size):
        chosen = order[start : start + params.batch_size]
        batch = tokenizer(
            [names[i] for i in chosen],
            padding=True,
            truncation=True,
            max_length=params.max_tokens,
            return_tensors="pt",
            return_token_type_ids=False,
            return_special_tokens_mask=True,
        )
        real = (1 - batch.pop("special_tokens_mask")).unsqueeze(-1).float()
        hidden = model(**batch).last_hidden_state
        table[chosen] = ((hidden * real).sum(1) / real.sum(1).clamp(min=1)).numpy()
        progress(start + len(chosen), len(order))
    return table
