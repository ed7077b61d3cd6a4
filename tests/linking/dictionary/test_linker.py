from functools import cache
from itertools import pairwise
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dragon_core.artifacts import silent
from dragon_core.artifacts.draft import Draft
from dragon_core.artifacts.folder import Folder
from dragon_core.graph.schema import NODES
from dragon_core.linking import DictionaryParams, Mention
from dragon_core.linking.dictionary.inflection import RELATED_SCORE, forms_of_name
from dragon_core.linking.dictionary.linker import DictionaryLinker, build_dictionary
from dragon_core.linking.dictionary.normalization import normalize_names
from dragon_core.linking.dictionary.patterns import says_little

NAMES = ["dog", "stray dog", "hot dog", "dog food", "run", "bone", "ice cream", "mother-in-law", "the", "7", "child"]
NAMES += ["dog", "ride bike", "used", "use", "running shoes", "café", "Mr. Bean", "of mice and men", "..."]


def node_table(names: list[str], aliases: dict[int, list[str]] | None = None) -> pa.Table:
    rows = [
        {"key": str(node), "name": name, "aliases": (aliases or {}).get(node, []), "description": ""}
        for node, name in enumerate(names)
    ]
    return pa.Table.from_pylist(rows, schema=NODES)


@cache
def linker(params: DictionaryParams) -> DictionaryLinker:
    return DictionaryLinker.of(node_table(NAMES), params)


def linked(text: str, **params: object) -> list[tuple[str, str, float]]:
    mentions = linker(DictionaryParams(**{"overlap": "longest"} | params)).link([text])[0]
    return [(text[m.start : m.end], NAMES[m.node], m.score) for m in mentions]


def test_names_are_found_as_written_and_inflected() -> None:
    assert linked("Stray dogs ran after the bone, children!") == [
        ("Stray dogs", "stray dog", 0.9),
        ("ran", "run", 0.9),
        ("bone", "bone", 1.0),
        ("children", "child", 0.9),
    ]
    assert linked("Stray dogs ran", inflections=False) == []


def test_offsets_survive_odd_spaces_and_characters() -> None:
    assert linked("«Ice  cream»,\n\tmother in LAW… cafe\u0301’s bone") == [
        ("Ice  cream", "ice cream", 1.0),
        ("mother in LAW", "mother-in-law", 1.0),
        ("cafe\u0301", "café", 1.0),
        ("bone", "bone", 1.0),
    ]


def test_no_name_bridges_punctuation_that_it_lacks() -> None:
    assert linked("Ice. Cream") == []
    assert linked("mr. bean and MR BEAN") == [("mr. bean", "Mr. Bean", 1.0)]


def test_of_overlapping_mentions_the_longest_stays_unless_all_are_wanted() -> None:
    assert linked("stray dog food", max_candidates=1) == [("stray dog", "stray dog", 1.0)]
    assert linked("stray dog food", overlap="all", max_candidates=1) == [
        ("stray dog", "stray dog", 1.0),
        ("dog", "dog", 1.0),
        ("dog food", "dog food", 1.0),
    ]


def test_names_are_found_across_determiners() -> None:
    assert linked("riding his bike") == [("riding his bike", "ride bike", pytest.approx(0.81))]
    assert linked("riding his bike", determiners=False) == []
    assert linked("ride bike, dog the food") == [("ride bike", "ride bike", 1.0), ("dog the food", "dog food", 0.9)]


def test_stop_words_numbers_and_stop_phrases_are_left_out() -> None:
    assert linked("the 7") == []
    assert linked("the 7", stop_words=False) == [("the", "the", 1.0), ("7", "7", 1.0)]
    assert linked("a stray dog", stop_phrases=("Stray Dog",), max_candidates=1) == [("dog", "dog", 1.0)]


def test_candidates_are_ranked_and_a_related_word_stands_in_only_for_a_missing_one() -> None:
    assert linked("used") == [("used", "used", 1.0), ("used", "use", 0.9)]
    assert linked("used", max_candidates=1) == [("used", "used", 1.0)]
    assert linked("using") == [("using", "use", 0.9)]
    assert linked("running shoe") == [("running shoe", "running shoes", RELATED_SCORE)]
    assert linker(DictionaryParams()).link(["dog"])[0] == [Mention(0, 3, 0, 1.0), Mention(0, 3, 11, 1.0)]


def test_aliases_are_names_that_come_after_names() -> None:
    nodes = node_table(["canine", "dog", "dog."], {0: ["dog", "hound"]})
    found = DictionaryLinker.of(nodes, DictionaryParams()).link(["dog", "hounds"])
    assert [mention.node for mention in found[0]] == [1, 2, 0]
    assert [mention.node for mention in found[1]] == [0]


def test_longer_names_than_wanted_are_not_looked_for() -> None:
    assert linked("of mice and men", max_words=3) == []
    assert linked("of mice and men") == [("of mice and men", "of mice and men", 1.0)]


def test_a_graph_without_names_and_a_batch_without_texts_link_nothing() -> None:
    nothing = DictionaryLinker.of(node_table([]), DictionaryParams())
    assert list(nothing.link(["a dog", ""])) == [[], []]
    assert list(nothing.link([])) == []


def test_a_built_linker_opens_to_the_same(tmp_path: Path) -> None:
    draft = Draft(Folder(fsspec.filesystem("file"), str(tmp_path)), [])
    build_dictionary(node_table(NAMES), DictionaryParams(), draft, silent)
    texts = ["Stray dogs ran", "", "used ice cream" * 100]
    opened = DictionaryLinker.open(tmp_path, DictionaryParams())
    assert list(opened.link(texts)) == list(linker(DictionaryParams()).link(texts))


def test_unknown_parameters_are_refused() -> None:
    with pytest.raises(ValidationError, match="lemmas"):
        DictionaryParams(lemmas=True)


WORDS = ["stray", "dogs", "dog", "Dog", "hot", "food", "foods", "running", "ran", "ice", "creams", "the", ",", "7"]
WORDS += ["rode", "a", "bikes", "bike", "used", "café", "CAFE", "'s", "mother-in-law", "..."]


def naive(text: str, params: DictionaryParams) -> set[tuple[int, int, int]]:
    """Every run of words that begins and ends with one against every form of every name."""
    forms: dict[str, list[int]] = {}
    for node, name in enumerate(normalize_names(NAMES)):
        if name and name.count(" ") < params.max_words:
            for form, score in forms_of_name(name).items():
                if score > RELATED_SCORE and not says_little(form):
                    forms.setdefault(form, []).append(node)
    found = set()
    words = [(start, start + len(word)) for start, word in positions(text)]
    for first, (start, _) in enumerate(words):
        for _, end in words[first:]:
            if not (text[start].isalnum() and text[end - 1].isalnum()):
                continue
            for node in forms.get(" ".join(normalize_names([text[start:end]])), []):
                found.add((start, end, node))
    return found


def positions(text: str) -> list[tuple[int, str]]:
    found, position = [], 0
    for word in text.split(" "):
        found.append((position, word))
        position += len(word) + 1
    return found


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=10).map(" ".join), st.integers(1, 4))
def test_all_mentions_equal_a_comparison_of_all_spans_with_all_forms(text: str, max_words: int) -> None:
    everything = {"overlap": "all", "max_candidates": 50, "determiners": False, "max_words": max_words}
    params = DictionaryParams(**everything)
    mentions = linker(params).link([text])[0]
    exact = {(m.start, m.end, m.node) for m in mentions if m.score > RELATED_SCORE}
    assert exact == naive(text, params)
    longest = linker(DictionaryParams(**everything | {"overlap": "longest"})).link([text])[0]
    assert set(longest) <= set(mentions)
    spans = sorted({(m.start, m.end) for m in longest})
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    # Nothing that could be linked is left out without one at least as long in its way.
    for mention in mentions:
        assert any(
            start < mention.end and mention.start < end and end - start >= mention.end - mention.start
            for start, end in spans
        )


@given(st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join))
def test_determiners_only_add_mentions(text: str) -> None:
    params = {"overlap": "all", "max_candidates": 50}
    without = linker(DictionaryParams(determiners=False, **params)).link([text])[0]
    assert set(without) <= set(linker(DictionaryParams(**params)).link([text])[0])
