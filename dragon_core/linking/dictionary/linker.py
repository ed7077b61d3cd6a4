"""The dictionary linker: the names and aliases of all nodes, in all their forms, found by scanning the text.

All forms are the patterns of one Aho-Corasick automaton (daachorse's double array, built once and loaded in
milliseconds) that runs over the normalised text. Since every word of it stands between spaces, a pattern with a space
at both ends matches whole words only. A scan is linear in the text, whatever the number of patterns.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Self

import daachorse
import numpy as np
import pyarrow as pa

from dragon_core.artifacts import Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.linking.array_files import open_arrays, write_arrays
from dragon_core.linking.batches import batches_of
from dragon_core.linking.dictionary.normalization import NormalizedTexts, normalize
from dragon_core.linking.dictionary.patterns import Patterns
from dragon_core.linking.mention import Float32s, Int32s, Int64s, Mentions
from dragon_core.linking.parameters import DictionaryParams

AUTOMATON_NAME = "automaton.bin"
CANDIDATE_ARRAYS = ("offsets", "nodes", "scores")
# Texts that are scanned together: so many that what the first scan reads of a large automaton is still in the
# processor's cache for the second.
TEXTS_OF_A_SCAN = 128
CHARACTERS_OF_A_SCAN = 1_000_000

# `riding a bike` is `ride bike`: graphs of common sense leave these out of their names.
DETERMINERS = re.compile(rb"(?<= )(?:an?|the|this|that|these|those|my|your|his|her|its|our|their|some|any) ")
# What a link across a determiner keeps of its score.
ACROSS_DETERMINERS = 0.9


class DictionaryLinker:
    """Links spans whose words, as written or inflected, are a name of a node.

    Args:
        automaton: Finds the patterns.
        candidates: Offsets [P + 1], nodes [C] and scores [C] of `Patterns`.
        params: What is linked.
    """

    def __init__(
        self,
        automaton: "daachorse.DoubleArrayAhoCorasick",
        candidates: tuple[Int64s, Int32s, Float32s],
        params: DictionaryParams,
    ) -> None:
        self.params = params
        self._automaton = automaton
        self._offsets, self._nodes, self._scores = candidates

    @classmethod
    def of(cls, nodes: pa.Table, params: DictionaryParams) -> Self:
        """A linker of a node table (`graph.schema.NODES`) that is in memory."""
        patterns = Patterns.of(nodes, params)
        return cls(patterns.automaton(), (patterns.offsets, patterns.nodes, patterns.scores), params)

    @classmethod
    def open(cls, folder: Path, params: DictionaryParams) -> Self:
        """The linker that `build_dictionary` wrote to a folder; the tables are memory-mapped."""
        automaton = daachorse.DoubleArrayAhoCorasick.deserialize((folder / AUTOMATON_NAME).read_bytes())
        offsets, nodes, scores = open_arrays(folder, "candidates", CANDIDATE_ARRAYS).values()
        return cls(automaton, (offsets, nodes, scores), params)

    def link(self, texts: Sequence[str]) -> Mentions:
        """Mentions of each text."""
        batches = batches_of(texts, TEXTS_OF_A_SCAN, CHARACTERS_OF_A_SCAN)
        return Mentions.concatenate([self._link(batch) for batch in batches])

    def _link(self, texts: Sequence[str]) -> Mentions:
        normalized = normalize(texts)
        starts, ends, patterns = self._scan(normalized)
        is_across = np.zeros(len(starts), bool)
        if self.params.determiners:
            more = self._scan(without_determiners(normalized))
            starts, ends, patterns = (np.concatenate(pair) for pair in zip((starts, ends, patterns), more, strict=True))
            is_across = np.arange(len(starts)) >= len(is_across)
        kept = np.lexsort((is_across, ends, starts))
        # Most spans are found by both scans.
        kept = kept[np.diff(starts[kept], prepend=-1).astype(bool) | np.diff(ends[kept], prepend=-1).astype(bool)]
        if self.params.overlap == "longest":
            kept = kept[without_overlaps(starts[kept], ends[kept])]
        starts, ends, patterns, is_across = starts[kept], ends[kept], patterns[kept], is_across[kept]
        span, candidate = self._candidates_of(patterns)
        text = np.searchsorted(normalized.starts, starts, "right") - 1
        return Mentions(
            offsets=np.searchsorted(text[span], np.arange(len(texts) + 1)).astype(np.int64),
            starts=(starts - normalized.starts[text])[span].astype(np.int32),
            ends=(ends - normalized.starts[text])[span].astype(np.int32),
            nodes=self._nodes[candidate],
            scores=self._scores[candidate] * np.where(is_across, ACROSS_DETERMINERS, 1).astype(np.float32)[span],
        )

    def _scan(self, normalized: NormalizedTexts) -> tuple[Int64s, Int64s, Int64s]:
        """First character, character after the last, and pattern of every match."""
        found = self._automaton.find_overlapping(normalized.text)
        matches = np.fromiter(chain.from_iterable(found), np.int64, 3 * len(found)).reshape(-1, 3)
        # A pattern's first and last byte are the spaces around it; the last comes from the character after the span.
        return normalized.characters[matches[:, 0] + 1], normalized.characters[matches[:, 1] - 1], matches[:, 2]

    def _candidates_of(self, patterns: Int64s) -> tuple[Int64s, Int64s]:
        """Position in `patterns`, and in the candidates' arrays, of every candidate of the patterns."""
        first = self._offsets[patterns]
        counts = self._offsets[patterns + 1] - first
        position = np.repeat(np.arange(len(patterns)), counts)
        return position, np.arange(len(position)) - (np.cumsum(counts) - counts - first)[position]


def build_dictionary(nodes: pa.Table, params: DictionaryParams, writer: Writer, progress: Progress) -> None:
    """Write the linker of a node table (`graph.schema.NODES`)."""
    patterns = Patterns.of(nodes, params, progress)
    with writer.writing(AUTOMATON_NAME) as path:
        path.write_bytes(patterns.automaton().serialize())
    write_arrays(writer, "candidates", {name: getattr(patterns, name) for name in CANDIDATE_ARRAYS})
    writer.count(patterns=len(patterns.texts), candidates=len(patterns.nodes))


def without_determiners(normalized: NormalizedTexts) -> NormalizedTexts:
    """The texts with their determiners cut out."""
    cuts = np.array([match.span() for match in DETERMINERS.finditer(normalized.text)], np.int64).reshape(-1, 2)
    edges = np.zeros(len(normalized.text) + 1, np.int8)
    np.add.at(edges, cuts[:, 0], 1)
    np.add.at(edges, cuts[:, 1], -1)
    kept = np.cumsum(edges[:-1]) == 0
    text = np.frombuffer(normalized.text, np.uint8)[kept].tobytes()
    return NormalizedTexts(text, normalized.characters[kept], normalized.starts)


def without_overlaps(starts: Int64s, ends: Int64s) -> Int64s:
    """Of spans sorted by start, the longest first and each only where no longer one stands; of equal ones the first.

    Returns:
        Sorted positions of the spans that are kept.
    """
    return np.array(sorted(_longest(starts, ends)), np.int64)


def _longest(starts: Int64s, ends: Int64s) -> Iterator[int]:
    taken = bytearray(int(ends.max(initial=0)))
    order = np.argsort(starts - ends, kind="stable")
    for position, start, end in zip(order.tolist(), starts[order].tolist(), ends[order].tolist(), strict=True):
        # No span that is taken is shorter: one that overlaps covers an end of this one.
        if not (taken[start] or taken[end - 1]):
            taken[start:end] = b"\1" * (end - start)
            yield position
