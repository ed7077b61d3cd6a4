"""Reads the dictionary files of WordNet 3.0 and 3.1: `data.*` and `index.*`, formats wndb(5WN) and wninput(5WN).

A line of a data file is

    offset lexicographer-file type word-count word lex-id ... pointer-count pointer ... [frames] | gloss

with the offset in 8 decimal digits and the word count in 2 hexadecimal ones; a pointer is `symbol offset
part-of-speech sourcetarget`, where sourcetarget is two 2-digit hexadecimal word numbers, 0000 for a relation between
whole synsets. A gloss is a definition, then quoted usage examples. The index files list each lemma's synsets, most
frequent sense first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dragon_core.artifacts import Progress, silent
from dragon_core.graph.errors import WordNetError

FILE_SUFFIXES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
FILE_NAMES = [f"{kind}.{suffix}" for kind in ("data", "index") for suffix in FILE_SUFFIXES.values()]

# In the order of their numbers, 00 to 44: lexnames(5WN).
LEXICOGRAPHER_FILES = [
    *("adj.all", "adj.pert", "adv.all"),
    *("noun.Tops", "noun.act", "noun.animal", "noun.artifact", "noun.attribute", "noun.body", "noun.cognition"),
    *("noun.communication", "noun.event", "noun.feeling", "noun.food", "noun.group", "noun.location", "noun.motive"),
    *("noun.object", "noun.person", "noun.phenomenon", "noun.plant", "noun.possession", "noun.process"),
    *("noun.quantity", "noun.relation", "noun.shape", "noun.state", "noun.substance", "noun.time"),
    *("verb.body", "verb.change", "verb.cognition", "verb.communication", "verb.competition", "verb.consumption"),
    *("verb.contact", "verb.creation", "verb.emotion", "verb.motion", "verb.perception", "verb.possession"),
    *("verb.social", "verb.stative", "verb.weather", "adj.ppl"),
]

_SYNTACTIC_MARKER = re.compile(r"\((?:p|a|ip)\)$")
_FIRST_EXAMPLE = re.compile(r'(?:^|[;:,]\s*)"')
_QUOTED = re.compile(r'"([^"]+)(?:"|$)')


class Pointer(NamedTuple):
    """A relation to another synset.

    Attributes:
        symbol: WordNet's sign of the relation, such as `@`.
        target: Id of the other synset.
        source_word: Number of the word of this synset that is related, from 1; 0 if the whole synset is.
        target_word: Number of the word of the other synset, likewise.
    """

    symbol: str
    target: str
    source_word: int
    target_word: int


@dataclass(frozen=True, slots=True)
class Synset:
    """A set of synonyms with one meaning.

    Attributes:
        id: Part of speech and offset, such as `n02086723`.
        part_of_speech: `n`, `v`, `a` (also of satellite adjectives) or `r`.
        words: Its words as written, with spaces.
        lexicographer_file: Name of the topical file it comes from, such as `noun.animal`.
        definition: First part of its gloss.
        examples: Quoted usage examples of its gloss.
        pointers: Its relations.
    """

    id: str
    part_of_speech: str
    words: list[str]
    lexicographer_file: str
    definition: str
    examples: list[str]
    pointers: list[Pointer]

    @property
    def lemmas(self) -> list[str]:
        """Its words in lower case, in order; word number `i` is `lemmas[i - 1]`, so one may occur twice."""
        return [word.lower() for word in self.words]


class Reject(NamedTuple):
    """What could not be read (a file and its line number, or `pointers` and a synset's id), and why."""

    source: str
    record: int | str
    reason: str


@dataclass(frozen=True)
class WordNet:
    """The dictionary.

    Attributes:
        synsets: Synsets by id, in the order of the files.
        senses: Synset ids of each lemma, the most frequent first. The parts of speech stand in the order of how
            many of the lemma's senses were seen in WordNet's tagged texts.
        rejects: Lines that could not be read.
    """

    synsets: dict[str, Synset]
    senses: dict[str, list[str]]
    rejects: list[Reject] = field(default_factory=list)


def read_wordnet(folder: Path, progress: Progress = silent) -> WordNet:
    """Read a folder of dictionary files.

    Args:
        folder: Holds `data.*` and `index.*` for noun, verb, adj and adv.
        progress: Told of the files read.

    Raises:
        WordNetError: A file is missing.
    """
    missing = [name for name in FILE_NAMES if not (folder / name).is_file()]
    if missing:
        raise WordNetError(f"{folder} holds no WordNet: {', '.join(missing)} is missing; give another folder.")
    rejects: list[Reject] = []
    synsets: dict[str, Synset] = {}
    for done, part_of_speech in enumerate(FILE_SUFFIXES):
        for number, line in _lines(folder / f"data.{FILE_SUFFIXES[part_of_speech]}", rejects):
            try:
                synset = parse_synset(line, part_of_speech)
            except (ValueError, IndexError) as error:
                rejects.append(Reject(f"data.{FILE_SUFFIXES[part_of_speech]}", number, f"not a synset: {error}"))
            else:
                synsets[synset.id] = synset
        progress(done + 1, len(FILE_NAMES))
    return WordNet(synsets, _read_senses(folder, synsets, rejects, progress), rejects)


def parse_synset(line: str, part_of_speech: str) -> Synset:
    """Parse a line of the data file of a part of speech.

    Raises:
        ValueError: The line has another form.
        IndexError: The line is too short.
    """
    fields, separator, gloss = line.partition(" | ")
    if not separator:
        raise ValueError("it has no gloss")
    parts = fields.split()
    offset, file_number, word_count = parts[0], int(parts[1]), int(parts[3], 16)
    if not (len(offset) == 8 and offset.isdecimal()):
        raise ValueError(f"{offset!r} is not an offset")
    words = [_SYNTACTIC_MARKER.sub("", word).replace("_", " ") for word in parts[4 : 4 + 2 * word_count : 2]]
    start = 5 + 2 * word_count
    pointers = []
    for position in range(start, start + 4 * int(parts[start - 1]), 4):
        symbol, target, kind, words_related = parts[position : position + 4]
        source_word, target_word = int(words_related[:2], 16), int(words_related[2:], 16)
        pointers.append(Pointer(symbol, _synset_id(kind, target), source_word, target_word))
    definition, examples = split_gloss(gloss)
    return Synset(
        id=_synset_id(part_of_speech, offset),
        part_of_speech=part_of_speech,
        words=words,
        lexicographer_file=LEXICOGRAPHER_FILES[file_number],
        definition=definition,
        examples=examples,
        pointers=pointers,
    )


def split_gloss(gloss: str) -> tuple[str, list[str]]:
    """Divide a gloss into the definition and the usage examples; what names an example's author is dropped."""
    gloss = " ".join(gloss.split())
    first = _FIRST_EXAMPLE.search(gloss)
    if first is None or first.start() == 0:
        return gloss.strip(" ;:,"), []
    examples = [example.strip() for example in _QUOTED.findall(gloss[first.end() - 1 :])]
    return gloss[: first.start()].strip(" ;:,"), [example for example in examples if any(map(str.isalnum, example))]


def _synset_id(part_of_speech: str, offset: str) -> str:
    return f"{'a' if part_of_speech == 's' else part_of_speech}{offset}"


def _lines(path: Path, rejects: list[Reject]) -> Iterator[tuple[int, str]]:
    """Numbered lines without the licence text, whose lines begin with two spaces."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if raw.startswith(b"  ") or not raw.strip():
                continue
            try:
                yield number, raw.decode("utf-8")
            except UnicodeDecodeError as error:
                rejects.append(Reject(path.name, number, f"not UTF-8: {error.reason}"))


def _read_senses(
    folder: Path, synsets: dict[str, Synset], rejects: list[Reject], progress: Progress
) -> dict[str, list[str]]:
    ranked: dict[str, list[tuple[int, list[str]]]] = {}
    for done, (part_of_speech, suffix) in enumerate(FILE_SUFFIXES.items(), start=len(FILE_SUFFIXES)):
        for number, line in _lines(folder / f"index.{suffix}", rejects):
            try:
                lemma, tagged, ids = _parse_index(line, part_of_speech)
            except (ValueError, IndexError) as error:
                rejects.append(Reject(f"index.{suffix}", number, f"not an index entry: {error}"))
            else:
                ranked.setdefault(lemma, []).append((-tagged, [i for i in ids if i in synsets]))
        progress(done + 1, len(FILE_NAMES))
    # The sort is stable: with equal numbers of tagged senses nouns stand before verbs, adjectives and adverbs.
    return {
        lemma: [synset for _, ids in sorted(entries, key=lambda entry: entry[0]) for synset in ids]
        for lemma, entries in ranked.items()
    }


def _parse_index(line: str, part_of_speech: str) -> tuple[str, int, list[str]]:
    parts = line.split()
    pointer_kinds = int(parts[3])
    tagged_senses, offsets = int(parts[5 + pointer_kinds]), parts[6 + pointer_kinds :]
    if len(offsets) != int(parts[2]):
        raise ValueError(f"it lists {len(offsets)} senses and announces {parts[2]}")
    return parts[0].lower().replace("_", " "), tagged_senses, [_synset_id(part_of_speech, o) for o in offsets]
