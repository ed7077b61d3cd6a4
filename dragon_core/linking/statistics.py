"""What a linked corpus holds: how much of it is linked, and to which nodes."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dragon_core.linking.mention import Int64s, Mentions


@dataclass
class LinkingStatistics:
    """Counts over the mentions that `add` was given.

    Attributes:
        num_nodes: Nodes of the graph.
        spans_of_segments: [S] how many segments have 0, 1, ... linked spans.
        mentions_of_nodes: [num_nodes] how many mentions each node has.
        rivalled_of_nodes: [num_nodes] how many of these share their span with another node.
        scores: How many mentions have each score, to two digits.
    """

    num_nodes: int
    spans_of_segments: Int64s = field(default_factory=lambda: np.zeros(1, np.int64))
    scores: dict[float, int] = field(default_factory=dict)
    mentions_of_nodes: Int64s = field(init=False)
    rivalled_of_nodes: Int64s = field(init=False)

    def __post_init__(self) -> None:
        self.mentions_of_nodes = np.zeros(self.num_nodes, np.int64)
        self.rivalled_of_nodes = np.zeros(self.num_nodes, np.int64)

    def add(self, mentions: Mentions) -> None:
        """Count the mentions of some segments."""
        segment = np.repeat(np.arange(len(mentions)), np.diff(mentions.offsets))
        same = np.ones(max(len(segment) - 1, 0), bool)
        for column in (segment, mentions.starts, mentions.ends):
            same &= column[1:] == column[:-1]
        is_first, is_rivalled = np.ones(len(segment), bool), np.zeros(len(segment), bool)
        is_first[1:] = ~same
        is_rivalled[1:] |= same
        is_rivalled[:-1] |= same
        spans = np.bincount(segment[is_first], minlength=len(mentions))
        self.spans_of_segments = _sum(self.spans_of_segments, np.bincount(spans))
        self.mentions_of_nodes += np.bincount(mentions.nodes, minlength=self.num_nodes)
        self.rivalled_of_nodes += np.bincount(mentions.nodes[is_rivalled], minlength=self.num_nodes)
        for score, count in zip(*np.unique(mentions.scores.round(2), return_counts=True), strict=True):
            key = round(float(score), 2)
            self.scores[key] = self.scores.get(key, 0) + int(count)

    @property
    def segments(self) -> int:
        """Number of segments."""
        return int(self.spans_of_segments.sum())

    @property
    def mentions(self) -> int:
        """Number of mentions."""
        return int(self.mentions_of_nodes.sum())

    @property
    def spans(self) -> int:
        """Number of spans that are linked, each to one node or more."""
        return int(self.spans_of_segments @ np.arange(len(self.spans_of_segments)))

    @property
    def coverage(self) -> float:
        """Share of the segments that have a mention, in [0, 1]."""
        return int(self.spans_of_segments[1:].sum()) / max(self.segments, 1)

    def spans_at(self, share: float) -> int:
        """The number of spans that `share` of the segments, in [0, 1], do not surpass."""
        return int(np.searchsorted(self.spans_of_segments.cumsum(), share * self.segments))

    def most(self, counts: Int64s, number: int) -> list[int]:
        """The nodes with the largest counts, above zero."""
        order = np.argsort(-counts, kind="stable")[:number]
        return [int(node) for node in order if counts[node]]


def _sum(first: Int64s, second: npt.NDArray[np.int64]) -> Int64s:
    total = np.zeros(max(len(first), len(second)), np.int64)
    total[: len(first)] += first
    total[: len(second)] += second
    return total
