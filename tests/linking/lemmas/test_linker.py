"""The published recipe, looked up instead of matched: the same sets, and each of its rules."""

import json
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest

from benchmarks.baselines.matcher_linking import MatcherLinker
from dragon_core.artifacts import silent
from dragon_core.artifacts.draft import Draft
from dragon_core.artifacts.folder import Folder
from dragon_core.linking.errors import LinkingError
from dragon_core.linking.lemmas.linker import LEMMAS_NAME, VERSION_KEY, LemmaLinker, build_spacy
from dragon_core.linking.lemmas.tagging import load_pipeline
from dragon_core.linking.parameters import SpacyParams
from tests.shared_data import SHARED_DATA

NAMES = ["dog", "stray dog", "run", "running", "bank", "banker", "revolving door", "door", "security measure", "make"]
NAMES += ["my house", "house", "the", "go to the store", "store", "a", "writer", "writ", "ice cream", "children's book"]
NAMES += ["direction", "travel", "want", "dog", "house of cards and sand", "to be", "leaves", "leaf", "leave", "lea"]

STATEMENTS = [
    ("A revolving door is convenient for two direction travel, but it also serves as a measure at a bank.", "bank"),
    ("The bankers run their dogs to the store; Running is fun.", "running"),
    ("My house has leaves. He leaves the stray  dogs", "a house"),
    ("", "leaves"),
    ("the", "to be"),
    ("He wanted to make a children's book", "children's book"),
    ("houses of cards and sand", "ice-cream"),
]


def linker_of(names: list[str], folder: Path, params: SpacyParams) -> LemmaLinker:
    build_spacy(names, params, Draft(Folder(fsspec.filesystem("file"), str(folder)), []), silent)
    return LemmaLinker.open(folder, params)


@pytest.fixture(scope="module")
def linker(tmp_path_factory: pytest.TempPathFactory) -> LemmaLinker:
    return linker_of(NAMES, tmp_path_factory.mktemp("linker"), SpacyParams())


@pytest.fixture(scope="module")
def of_answers(tmp_path_factory: pytest.TempPathFactory) -> LemmaLinker:
    return linker_of(NAMES, tmp_path_factory.mktemp("linker"), SpacyParams(role="answer"))


def linked(linker: LemmaLinker, text: str) -> list[tuple[str, str, float]]:
    return [(text[m.start : m.end], NAMES[m.node], m.score) for m in linker.link([text])[0]]


def test_lemmas_are_found_wherever_they_stand(linker: LemmaLinker) -> None:
    assert linked(linker, "Stray  dogs") == [("dogs", "dog", 0.9)]
    assert linked(linker, "The stray dogs") == [
        ("stray dogs", "stray dog", 0.9),
        ("dogs", "dog", 0.9),
    ]


def test_names_that_say_too_little_are_not_looked_for(linker: LemmaLinker) -> None:
    assert linked(linker, "I want to make my house") == [("house", "house", 1.0)]


def test_concepts_with_a_stop_word_are_dropped_from_questions_only(
    linker: LemmaLinker, of_answers: LemmaLinker
) -> None:
    assert linked(linker, "We go to the store.") == [("store", "store", 1.0)]
    assert linked(of_answers, "We go to the store.") == [
        ("go to the store", "go to the store", 1.0),
        ("store", "store", 1.0),
    ]


def test_a_longer_word_gives_way_to_the_one_it_is_made_of(linker: LemmaLinker) -> None:
    assert linked(linker, "the writer and the banker") == [("writer", "writer", 1.0), ("banker", "banker", 1.0)]
    assert linked(linker, "the banker of a bank") == [("bank", "bank", 1.0)]


def test_lemmas_of_single_words_stand_in_when_nothing_is_found(linker: LemmaLinker, of_answers: LemmaLinker) -> None:
    # Not looked for as a concept, being on the black list.
    assert linked(of_answers, "makes") == [("makes", "make", 0.9)]
    assert linked(linker, "makes a house") == [("house", "house", 1.0)]


def test_offsets_are_those_of_the_text_as_it_is_written(linker: LemmaLinker) -> None:
    assert linked(linker, "İİ DOGS İ bank") == [("DOGS", "dog", 0.9), ("bank", "bank", 1.0)]
    assert linked(linker, "") == []
    assert list(linker.link([])) == []


def test_small_pairs_give_the_sets_of_the_matcher(linker: LemmaLinker) -> None:
    matcher = MatcherLinker(NAMES, load_pipeline("en_core_web_sm"))
    assert linker.ground_pairs(STATEMENTS) == [matcher.ground(*pair) for pair in STATEMENTS]


@pytest.fixture(scope="module")
def statements() -> list[tuple[str, str]]:
    questions = SHARED_DATA / "csqa" / "train_rand_split.jsonl"
    if not questions.exists():
        pytest.skip("CommonsenseQA is not there: set DRAGON_SHARED_DATA.")
    items = [json.loads(line)["question"] for line in questions.read_text(encoding="utf-8").splitlines()[:240]]
    return [(f"{item['stem']} {choice['text']}", choice["text"]) for item in items for choice in item["choices"]]


def test_statements_of_commonsenseqa_give_the_sets_of_the_matcher(
    statements: list[tuple[str, str]], tmp_path: Path
) -> None:
    lines = (SHARED_DATA / "conceptnet-82k" / "train.txt").read_text(encoding="utf-8").splitlines()
    names = sorted({name for line in lines for name in line.split("\t")[1:]})
    said = {run for pair in statements for text in pair for run in runs_of_words(text)}
    # The matcher is slow: the concepts that are said, and some others.
    names = sorted(said.intersection(names)) + names[::100]
    pipeline = load_pipeline("en_core_web_sm")
    matcher = MatcherLinker(names, pipeline)
    found = linker_of(names, tmp_path, SpacyParams()).ground_pairs(statements)
    assert len(statements) >= 1000
    for pair, sets in zip(statements, found, strict=True):
        assert sets == matcher.ground(*pair), pair
    assert sum(bool(question and answer) for question, answer in found) > 900


def runs_of_words(text: str) -> set[str]:
    words = text.lower().replace("?", " ").split()
    return {" ".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, start + 5)}


def test_an_unknown_pipeline_is_refused_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(LinkingError, match=r"'xx_nothing' is not installed; install it"):
        linker_of(NAMES, tmp_path, SpacyParams(pipeline="xx_nothing"))


def test_a_linker_of_another_version_of_the_pipeline_is_refused(tmp_path: Path) -> None:
    linker_of(NAMES, tmp_path, SpacyParams())
    table = pq.read_table(tmp_path / LEMMAS_NAME)
    pq.write_table(table.replace_schema_metadata({VERSION_KEY: b"en_core_web_sm 2.0.0"}), tmp_path / LEMMAS_NAME)
    with pytest.raises(LinkingError, match=r"built with en_core_web_sm 2\.0\.0, and en_core_web_sm 3"):
        LemmaLinker.open(tmp_path, SpacyParams())
