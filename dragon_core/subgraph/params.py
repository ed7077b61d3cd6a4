"""How subgraphs are extracted."""

from enum import IntEnum
from typing import Literal

import numpy as np
from pydantic import Field

from dragon_core.artifacts import Parameters

# Positions in a subgraph are stored as int16.
LARGEST_SUBGRAPH = int(np.iinfo(np.int16).max)

RelevanceName = Literal["similarity", "lm", "ppr", "degree", "random"]


class NodeType(IntEnum):
    """What a node is to the text; the model adds a context node of type 3."""

    LINKED = 0
    ANSWER = 1
    OTHER = 2


class SubgraphParams(Parameters):
    """How subgraphs are extracted."""

    k: int = Field(
        2,
        ge=1,
        le=3,
        description="Besides linked nodes, those on paths of at most so many edges between two of them: 1 gives none, 2"
        " the bridge nodes of the paper.",
    )
    max_nodes: int = Field(
        200, ge=1, le=LARGEST_SUBGRAPH, description="Nodes a subgraph has at most; linked nodes come first."
    )
    hub_cap: int | None = Field(
        10_000, ge=1, description="No path is followed from a node with more edges; None: from all."
    )
    relations: tuple[str, ...] = Field((), description="Names of the only relations to follow and keep; empty: all.")
    relevance: RelevanceName = Field(
        "similarity",
        description="Which other nodes are kept first: similarity (of the encoder's vectors of the text and of the"
        " node), lm (the encoder's likelihood of the text with the node's name after it), ppr (personalised PageRank"
        " from the linked nodes), degree (touching most linked nodes), random.",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Decides what random keeps.")

    @property
    def compares_vectors(self) -> bool:
        """Whether the relevance compares vectors of texts and nodes."""
        return self.relevance == "similarity"

    @property
    def scores_texts(self) -> bool:
        """Whether the relevance reads texts with a language model, once a candidate."""
        return self.relevance == "lm"
