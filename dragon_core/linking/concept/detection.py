"""Which spans of texts are mentions: by the names alone, or by a sequence model trained on annotated documents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from dragon_core.artifacts.draft import Writer
from dragon_core.linking.array_files import open_arrays, write_arrays
from dragon_core.linking.concept.analysis import Analysis, analyse
from dragon_core.linking.concept.annotations import AnnotatedDocument
from dragon_core.linking.concept.conditional_random_field import ConditionalRandomField
from dragon_core.linking.concept.features import SIZE, token_features
from dragon_core.linking.concept.lexicon import Lexicon
from dragon_core.linking.concept.matching import Matches
from dragon_core.linking.concept.names import HashedNames
from dragon_core.linking.concept.words import running_sums
from dragon_core.linking.mention import Float32s, Int64s

Ints = npt.NDArray[np.integer]

NUM_LABELS = 5
OUTSIDE, BEGIN, INSIDE, END, SINGLE = range(NUM_LABELS)
LONGEST_NAME = 10
PENALTY = 1.0
ITERATIONS = 80
# Emissions of a token are moved so far towards the mean of those of the same word in its text.
CONSISTENCY = 0.3
FIELDS = ("weights", "transitions", "seen_stems", "seen_words", "annotated_stems", "annotated_words")


@dataclass(frozen=True)
class TrainedDetector:
    """Labels tokens with a conditional random field.

    Attributes:
        model: The labels' model.
        seen: For each table, [H] how often a name is found in the annotated documents.
        annotated: For each table, [H] how often it is annotated there.
    """

    model: ConditionalRandomField
    seen: Sequence[Float32s]
    annotated: Sequence[Float32s]

    def spans(self, analysis: Analysis, lexicon: Lexicon) -> list[tuple[int, int]]:
        """(first token, token after the last) of each mention, in order."""
        matches = analysis.matches.longest(len(analysis.tokens.ids))
        seen, annotated = (_of_matches(matches, counts) for counts in (self.seen, self.annotated))
        emissions = self.model.emissions(token_features(analysis, lexicon, matches, seen, annotated))
        return spans_of(self.model.best_labels(_consistent(emissions, analysis), analysis.tokens.offsets))

    @classmethod
    def trained(cls, documents: Sequence[AnnotatedDocument], lexicon: Lexicon) -> Self:
        """Learn from annotated documents; what a document's own annotations add to the names does not count in it."""
        analysis = analyse([document.text for document in documents], lexicon, LONGEST_NAME)
        tokens, texts = analysis.tokens, analysis.tokens.texts
        gold = [
            (*tokens.span(text, annotation.start, annotation.end), len(annotation.nodes))
            for text, document in enumerate(documents)
            for annotation in document.annotations
        ]
        starts, ends, nodes = np.array(gold, np.int64).reshape(-1, 3).T
        annotations = [
            _Counts.of(table, texts[starts], table.rows(sums[ends] - sums[starts]), nodes)
            for table, words in zip(lexicon.tables, (analysis.stems, analysis.words), strict=True)
            for sums in [running_sums(words[tokens.ids])]
        ]
        totals = _of_matches(analysis.matches, [table.totals() for table in lexicon.tables])
        known = totals > _own(analysis.matches, texts, annotations)
        analysis = replace(analysis, matches=analysis.matches[known])
        matches = analysis.matches.longest(len(texts))
        is_gold = np.isin(matches.starts * len(texts) + matches.ends, starts * len(texts) + ends)
        found, elsewhere = [], []
        for weights in (np.ones(len(matches)), is_gold):
            counts = [
                _Counts.of(table, texts[matches.starts[here]], matches.rows[here], weights[here])
                for number, table in enumerate(lexicon.tables)
                for here in [matches.tables == number]
            ]
            found.append([table.totals for table in counts])
            elsewhere.append(_of_matches(matches, found[-1]) - _own(matches, texts, counts))
        features = token_features(analysis, lexicon, matches, *elsewhere)
        labels = labels_of(starts, ends, len(texts))
        model = ConditionalRandomField.trained(features, labels, tokens.offsets, SIZE, NUM_LABELS, PENALTY, ITERATIONS)
        return cls(model, *found)

    def write(self, writer: Writer) -> None:
        """Write the detector's files."""
        arrays = (self.model.weights, self.model.transitions, *self.seen, *self.annotated)
        write_arrays(writer, "detector", dict(zip(FIELDS, arrays, strict=True)))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a detector.

        Raises:
            LinkingError: A file is missing.
        """
        weights, transitions, *counts = open_arrays(folder, "detector", FIELDS).values()
        return cls(ConditionalRandomField(weights, transitions), counts[:2], counts[2:])


@dataclass(frozen=True)
class _Counts:
    """Counts of the names of a table (H hashes), altogether and of each text."""

    totals: Float32s
    keys: Int64s
    of_text: npt.NDArray[np.float64]

    @classmethod
    def of(cls, table: HashedNames, texts: Int64s, rows: Ints, weights: npt.NDArray[Any]) -> Self:
        size = len(table.hashes)
        texts, rows, weights = texts[rows >= 0], rows[rows >= 0].astype(np.int64), weights[rows >= 0]
        keys, places = np.unique(texts * size + rows, return_inverse=True)
        totals = np.bincount(rows, weights, size).astype(np.float32)
        return cls(totals, keys, np.bincount(places, weights, len(keys)).astype(np.float64))

    def own(self, texts: Int64s, rows: Int64s) -> npt.NDArray[np.float64]:
        """What each text adds to the count of a row."""
        keys = texts * len(self.totals) + rows
        if not len(self.keys):
            return np.zeros(len(keys))
        places = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.of_text[places], 0)


def _of_matches(matches: Matches, values: Sequence[Float32s]) -> npt.NDArray[np.float64]:
    """[S] the value of each match's row in its table."""
    result = np.zeros(len(matches))
    for number, of_rows in enumerate(values):
        here = matches.tables == number
        result[here] = of_rows[matches.rows[here]]
    return result


def _own(matches: Matches, texts: Int64s, counts: Sequence[_Counts]) -> npt.NDArray[np.float64]:
    """[S] what the text of each match adds to the count of its row."""
    result = np.zeros(len(matches))
    for number, of_table in enumerate(counts):
        here = matches.tables == number
        result[here] = of_table.own(texts[matches.starts[here]], matches.rows[here])
    return result


def labels_of(starts: Int64s, ends: Int64s, size: int) -> Int64s:
    """[size] labels of tokens of which some spans are mentions; of overlapping ones the last counts."""
    labels = np.full(size, OUTSIDE)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        labels[start:end] = INSIDE
        labels[start], labels[end - 1] = (BEGIN, END) if end - start > 1 else (SINGLE, SINGLE)
    return labels


def spans_of(labels: Ints) -> list[tuple[int, int]]:
    """(first, after the last) of each mention; a beginning without an end, or an end without a beginning, is none."""
    spans, start = [], None
    for position, label in enumerate(labels.tolist()):
        if label == SINGLE:
            spans.append((position, position + 1))
        elif label == END and start is not None:
            spans.append((start, position + 1))
        if label != INSIDE:
            start = position if label == BEGIN else None
    return spans


def _consistent(emissions: Float32s, analysis: Analysis) -> Float32s:
    """Emissions [K, L] moved towards the mean of those of the same stem in the same text."""
    tokens = analysis.tokens
    stems = np.unique(analysis.stems, return_inverse=True)[1][tokens.ids]
    _, groups = np.unique(tokens.texts * (stems.max(initial=0) + 1) + stems, return_inverse=True)
    sizes = np.bincount(groups)
    means = np.stack([np.bincount(groups, column) / sizes for column in emissions.T], axis=1)[groups]
    share = np.where(analysis.stems[tokens.ids] == 0, 0, CONSISTENCY)[:, None]
    return ((1 - share) * emissions + share * means).astype(np.float32)
