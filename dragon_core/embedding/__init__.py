"""A language model's vectors of a graph's nodes and of a corpus' texts, and the likelihoods it gives to texts.

What loads PyTorch (`pooling.py`, `likelihood.py`) is imported where it is used: extraction needs none of it.
"""

from dragon_core.embedding.nodes import EmbedNodes, EntityTableParams
from dragon_core.embedding.schema import ENTITIES_NAME, TEXT_VECTORS
from dragon_core.embedding.texts import EmbedTexts, TextVectorParams

__all__ = ["ENTITIES_NAME", "TEXT_VECTORS", "EmbedNodes", "EmbedTexts", "EntityTableParams", "TextVectorParams"]
