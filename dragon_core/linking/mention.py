"""What a linker finds, and what a linker is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Mention:
    """A span of a text that names a node.

    Attributes:
        start: First character.
        end: Character after the last.
        node: The node's id in the graph.
        score: How sure the link is, in (0, 1].
    """

    start: int
    end: int
    node: int
    score: float


class EntityLinker(Protocol):
    """Finds the nodes that texts name: a pure function of the text, the graph and the linker's parameters."""

    def link(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Mentions of each text, sorted by (start, end, node)."""
