"""The spaCy linker: the published recipe (`recipe.py`) at the tagger's own speed.

The recipe looks for a concept's lemmas with a spaCy `Matcher` of one pattern a concept, and lemmatises every match
again. Here every name is lemmatised once, when the linker is built, and the lemmas of a text are looked up in a table.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
from spacy.language import Language

from dragon_core.artifacts import Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.linking.errors import LinkingError
from dragon_core.linking.lemmas.recipe import MAX_TOKENS, concepts_of_span, fallback, is_searched, lemma_of, prune
from dragon_core.linking.lemmas.tagging import Token, load_pipeline, tag, version_of
from dragon_core.linking.mention import Mention, Mentions
from dragon_core.linking.parameters import SpacyParams

LEMMAS_NAME = "lemmas.parquet"
# A name or the lemma of one; its node, or -1 if it is no name; its own lemma; its tokens' lemmas if it is searched.
LEMMAS = pa.schema([("text", pa.string()), ("node", pa.int32()), ("lemma", pa.string()), ("pattern", pa.string())])
VERSION_KEY = b"pipeline"
BETWEEN_LEMMAS = "\x1f"
NAMES_OF_A_STEP = 10_000

SURFACE_SCORE = 1.0
LEMMA_SCORE = 0.9


def build_spacy(names: Sequence[str], params: SpacyParams, writer: Writer, progress: Progress) -> None:
    """Write the linker of nodes with these names; of equal names the first node is linked.

    Raises:
        LinkingError: The pipeline is not installed.
    """
    pipeline = load_pipeline(params.pipeline)
    nodes = {name: node for node, name in reversed(list(enumerate(names)))}
    unique = sorted(nodes, key=nodes.__getitem__)
    rows: list[dict[str, object]] = []
    tagged = tag(pipeline, unique)
    while step := list(islice(tagged, NAMES_OF_A_STEP)):
        rows += [_row(name, nodes[name], tokens) for name, tokens in zip(unique[len(rows) :], step, strict=False)]
        progress(len(rows), len(unique))
    lemmas = sorted({str(row["lemma"]) for row in rows if " " not in str(row["text"])} - nodes.keys())
    rows += [_row(text, -1, tokens) for text, tokens in zip(lemmas, tag(pipeline, lemmas), strict=True)]
    schema = LEMMAS.with_metadata({VERSION_KEY: version_of(pipeline)})
    writer.write_table(LEMMAS_NAME, pa.Table.from_pylist(rows, schema))
    writer.count(names=len(unique), patterns=sum(row["pattern"] is not None for row in rows))


def _row(text: str, node: int, tokens: list[Token]) -> dict[str, object]:
    pattern = _pattern(tokens) if node >= 0 and is_searched(tokens) else None
    return {"text": text, "node": node, "lemma": lemma_of(tokens), "pattern": pattern}


def _pattern(tokens: Sequence[Token]) -> str:
    return BETWEEN_LEMMAS.join(token.lemma for token in tokens)


Span = tuple[int, int]


class LemmaLinker:
    """Links spans whose lemmas are the lemmas of a name, by the published rules.

    Args:
        lemmas: Table with the schema `LEMMAS`.
        pipeline: The pipeline it was made with.
        params: What is linked.

    Raises:
        LinkingError: The table was made with another version of the pipeline.
    """

    def __init__(self, lemmas: pa.Table, pipeline: Language, params: SpacyParams) -> None:
        made_with, found = lemmas.schema.metadata[VERSION_KEY].decode(), version_of(pipeline)
        if made_with != found:
            raise LinkingError(
                f"The linker was built with {made_with}, and {found} is installed; run the flow again, it builds one."
            )
        self._pipeline = pipeline
        self._role = params.role
        texts, nodes, own, patterns = (lemmas[name].to_pylist() for name in LEMMAS.names)
        self._lemmas = dict(zip(texts, own, strict=True))
        self._nodes = {text: node for text, node in zip(texts, nodes, strict=True) if node >= 0}
        self._names: dict[str, list[str]] = defaultdict(list)
        for text, pattern in zip(texts, patterns, strict=True):
            if pattern is not None:
                self._names[pattern].append(text)

    @classmethod
    def open(cls, folder: Path, params: SpacyParams) -> Self:
        """The linker that `build_spacy` wrote to a folder.

        Raises:
            LinkingError: The pipeline is not installed, or in another version.
        """
        return cls(pq.read_table(folder / LEMMAS_NAME), load_pipeline(params.pipeline), params)

    def link(self, texts: Sequence[str]) -> Mentions:
        """Mentions of each text."""
        # Else every new word stays in the pipeline's vocabulary.
        with self._pipeline.memory_zone():
            tagged = tag(self._pipeline, map(str.lower, texts))
            return Mentions.of(self._link(text, tokens) for text, tokens in zip(texts, tagged, strict=True))

    def ground_pairs(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[set[str], set[str]]]:
        """The published function: concepts of (statement, answer) pairs.

        Returns:
            For each pair the names of the concepts of the question, which is the statement without the answer, and of
            the answer.
        """
        with self._pipeline.memory_zone():
            statements = tag(self._pipeline, (statement.lower() for statement, _ in pairs))
            answers = tag(self._pipeline, (answer.lower() for _, answer in pairs))
            return [
                self._ground(statement, answer, [token.text.lower() for token in self._pipeline.make_doc(text)])
                for (_, text), statement, answer in zip(pairs, statements, answers, strict=True)
            ]

    def _ground(self, statement: list[Token], answer: list[Token], words: list[str]) -> tuple[set[str], set[str]]:
        of_answer = self._concepts(answer).values()
        found = {"answer": set[str]().union(*of_answer)}
        without = {
            (first, first + len(words))
            for first in range(len(statement))
            if [token.text for token in statement[first : first + len(words)]] == words
        }
        found["question"] = set[str]().union(*self._concepts(statement, without).values()) - found["answer"]
        for role, tokens in (("question", statement), ("answer", answer)):
            found[role] = found[role] or {concept for *_, concept in fallback(tokens, self._nodes)}
        return prune(found["question"], self._nodes, "question"), prune(found["answer"], self._nodes, "answer")

    def _concepts(
        self, tokens: list[Token], without: frozenset[Span] | set[Span] = frozenset()
    ) -> dict[Span, set[str]]:
        """Concepts of each span that names some; spans of the same text share theirs."""
        names: dict[str, set[str]] = defaultdict(set)
        texts: dict[Span, str] = {}
        for span, found in self._matches(tokens):
            if span not in without:
                texts[span] = _text_of(tokens, span)
                names[texts[span]].update(found)
        concepts = {text: concepts_of_span(text, found, self._lemmas) for text, found in names.items()}
        return {span: concepts[text] for span, text in texts.items()}

    def _matches(self, tokens: list[Token]) -> Iterator[tuple[Span, list[str]]]:
        for first in range(len(tokens)):
            for end in range(first + 1, min(first + MAX_TOKENS, len(tokens)) + 1):
                names = self._names.get(_pattern(tokens[first:end]))
                if names:
                    yield (first, end), names

    def _link(self, text: str, tokens: list[Token]) -> Iterator[Mention]:
        found = [(*span, concept) for span, concepts in self._concepts(tokens).items() for concept in concepts]
        found = found or list(fallback(tokens, self._nodes))
        kept = prune({concept for *_, concept in found}, self._nodes, self._role)
        position = _positions(text)
        for first, end, concept in found:
            if concept in kept:
                score = SURFACE_SCORE if concept.lower() == _text_of(tokens, (first, end)) else LEMMA_SCORE
                start, last = tokens[first].start, tokens[end - 1].end
                yield Mention(position[start], position[last - 1] + 1, self._nodes[concept], score)


def _text_of(tokens: Sequence[Token], span: Span) -> str:
    """Text of a span, with the white space that the tokens leave out as single spaces."""
    first, *others = tokens[span[0] : span[1]]
    text, end = first.text, first.end
    for token in others:
        text += " " * (token.start > end) + token.text
        end = token.end
    return text


def _positions(text: str) -> Sequence[int]:
    """Position in a text of each character of its lower-case form, which may be longer."""
    if len(text.lower()) == len(text):
        return range(len(text))
    return [position for position, character in enumerate(text) for _ in character.lower()]
