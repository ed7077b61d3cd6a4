"""The concept linker: biomedical concepts by the names of a node table and, if there are any, annotated documents.

Building writes a lexicon of the names, the weights that rank candidates and, from annotated documents, a detector of
mentions. Linking finds the mentions of a text, replaces the abbreviations that the text defines, and ranks the nodes
whose names have the same words or similar ones.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pyarrow as pa

from dragon_core.artifacts import Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.linking.array_files import open_arrays, write_arrays
from dragon_core.linking.batches import batches_of
from dragon_core.linking.concept.analysis import analyse, queries_of
from dragon_core.linking.concept.annotations import AnnotatedDocument, annotated_names
from dragon_core.linking.concept.detection import LONGEST_NAME, TrainedDetector
from dragon_core.linking.concept.evidence import Evidence, Query
from dragon_core.linking.concept.lexicon import Lexicon
from dragon_core.linking.concept.names import Names
from dragon_core.linking.concept.ranking import Candidates, Ranker, examples
from dragon_core.linking.concept.rules import spans_by_names
from dragon_core.linking.errors import LinkingError
from dragon_core.linking.mention import Mention, Mentions
from dragon_core.linking.parameters import ConceptParams

SETTINGS_NAME = "concept.json"
STEPS = 3
# Texts that are linked together.
TEXTS_OF_A_BATCH, CHARACTERS = 256, 500_000
# Mentions whose candidates are kept for the next texts.
CACHED = 1 << 16
# Similarity of equal words.
SURE = 0.95


def build_concept(
    nodes: pa.Table,
    params: ConceptParams,
    writer: Writer,
    progress: Progress,
    annotations: Sequence[AnnotatedDocument] = (),
) -> None:
    """Write the linker of a node table.

    Args:
        nodes: Node table with the columns name and aliases.
        params: How text will be linked.
        writer: Takes the files.
        progress: Told of each step.
        annotations: Documents with linked mentions: more names of the nodes, how often each is meant, which names
            are not mentions, and what a mention looks like.

    Raises:
        LinkingError: No node has a name, or an annotation's node is not in the table.
    """
    largest = max((node for document in annotations for a in document.annotations for node in a.nodes), default=-1)
    if largest >= len(nodes):
        raise LinkingError(
            f"The annotated documents name node {largest}, the table has {len(nodes)}; read them for it."
        )
    names = Names.of(nodes["name"].to_pylist(), nodes["aliases"].to_pylist(), annotated_names(annotations))
    if not any(names.stems):
        raise LinkingError(f"None of the {len(nodes)} nodes has a name to be linked by; build the graph with names.")
    lexicon = Lexicon.of(names, len(nodes))
    lexicon.write(writer)
    progress(1, STEPS)
    ranker = Ranker.trained(examples(annotations, names, lexicon)) if annotations else Ranker.by_hand()
    write_arrays(writer, "ranker", {"weights": ranker.weights})
    progress(2, STEPS)
    if annotations:
        TrainedDetector.trained(annotations, lexicon).write(writer)
    writer.write_json(SETTINGS_NAME, {"trained": bool(annotations)})
    progress(3, STEPS)


class ConceptLinker:
    """Links mentions of concepts.

    Args:
        lexicon: Names of the nodes.
        ranker: Ranks candidates.
        detector: Finds mentions; without one they are found by the names alone.
        params: What is linked.
    """

    def __init__(
        self, lexicon: Lexicon, ranker: Ranker, detector: TrainedDetector | None, params: ConceptParams
    ) -> None:
        self._lexicon = lexicon
        self._ranker = ranker
        self._detector = detector
        self._params = params
        self._candidates: dict[Query, Candidates] = {}

    @classmethod
    def open(cls, folder: Path, params: ConceptParams) -> Self:
        """Open a linker; its arrays are memory-mapped.

        Raises:
            LinkingError: A file of the linker is missing.
        """
        lexicon = Lexicon.open(folder)
        ranker = Ranker(open_arrays(folder, "ranker", ("weights",))["weights"])
        trained = json.loads((folder / SETTINGS_NAME).read_text(encoding="utf-8"))["trained"]
        return cls(lexicon, ranker, TrainedDetector.open(folder) if trained else None, params)

    def link(self, texts: Sequence[str]) -> Mentions:
        """Mentions of each text; each text is a document, in which an abbreviation means what the text defines."""
        return Mentions.concatenate([self._link(batch) for batch in batches_of(texts, TEXTS_OF_A_BATCH, CHARACTERS)])

    def _link(self, texts: Sequence[str]) -> Mentions:
        analysis = analyse(texts, self._lexicon, LONGEST_NAME)
        if self._detector is None:
            spans = spans_by_names(analysis, self._lexicon)
        else:
            spans = self._detector.spans(analysis, self._lexicon)
        queries = queries_of(analysis, spans)
        self._rank(queries)
        tokens = analysis.tokens
        texts_of_spans = tokens.texts[[start for start, _ in spans]].tolist()
        # The words by which each text surely names a node.
        named: list[dict[int, set[tuple[str, ...]]]] = [{} for _ in texts]
        for text, query in zip(texts_of_spans, queries, strict=True):
            candidates = self._candidates[query]
            if candidates.similarities and candidates.similarities[0] >= SURE:
                named[text].setdefault(candidates.nodes[0], set()).add(query.expanded)
        mentions: list[list[Mention]] = [[] for _ in texts]
        for (start, end), text, query in zip(spans, texts_of_spans, queries, strict=True):
            elsewhere = {node for node, words in named[text].items() if words != {query.expanded}}
            first, last = int(tokens.starts[start]), int(tokens.ends[end - 1])
            for node, score in self._ranker.best(self._candidates[query], elsewhere, self._params.candidates):
                if score >= self._params.threshold:
                    mentions[text].append(Mention(first, last, node, score))
        return Mentions.of(mentions)

    def forget(self) -> None:
        """Forget the candidates of the mentions linked so far, which are kept to be used again."""
        self._candidates.clear()

    def _rank(self, queries: Sequence[Query]) -> None:
        """Rank the candidates of queries not seen before."""
        if len(self._candidates) > CACHED:
            self.forget()
        new = [query for query in dict.fromkeys(queries) if query not in self._candidates]
        for query, candidates in zip(new, Evidence(self._lexicon, new).candidates, strict=True):
            self._candidates[query] = self._ranker.ranked(candidates)
