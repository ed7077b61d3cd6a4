import re
from functools import cache
from html import unescape
from itertools import pairwise

import spacy
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dragon_core.linking import DictionaryLinker, LinkingParams, Mention
from dragon_core.linking.dictionary import is_stop_word, lemma_of
from dragon_core.linking.inspect import linked_text_markdown

NAMES = [
    "dog",
    "stray dog",
    "hot dog",
    "dog food",
    "run",
    "bone",
    "ice cream",
    "mother in law",
    "the",
    "7",
    "child",
    "dog",
]


def linked(text: str, **params: object) -> list[tuple[str, str, float]]:
    mentions = DictionaryLinker(NAMES, LinkingParams(**params)).link([text])[0]
    return [(text[m.start : m.end], NAMES[m.node], m.score) for m in mentions]


def test_names_are_found_as_written_and_inflected() -> None:
    assert linked("Stray dogs ran after the bone.") == [
        ("Stray dogs", "stray dog", 0.9),
        ("ran", "run", 0.9),
        ("bone", "bone", 1.0),
    ]
    assert linked("children") == [("children", "child", 0.9)]


def test_offsets_survive_odd_spaces_and_characters() -> None:
    assert linked("«Ice  cream»,\n\tDOG-food… dog’s bone") == [
        ("Ice  cream", "ice cream", 1.0),
        ("DOG", "dog", 1.0),
        ("dog", "dog", 1.0),
        ("bone", "bone", 1.0),
    ]


def test_of_overlapping_mentions_the_longest_stays_unless_all_are_wanted() -> None:
    assert linked("stray dog food") == [("stray dog", "stray dog", 1.0)]
    assert linked("stray dog food", overlap="all") == [
        ("stray dog", "stray dog", 1.0),
        ("dog", "dog", 1.0),
        ("dog food", "dog food", 1.0),
    ]


def test_stop_words_and_numbers_are_linked_only_when_asked() -> None:
    assert linked("the 7") == []
    assert linked("the 7", stop_words=False) == [("the", "the", 1.0), ("7", "7", 1.0)]


def test_of_nodes_with_one_name_the_first_is_linked() -> None:
    assert DictionaryLinker(NAMES, LinkingParams()).link(["dog"]) == [[Mention(0, 3, 0, 1.0)]]


@cache
def linker(params: LinkingParams) -> DictionaryLinker:
    return DictionaryLinker(NAMES, params)


TOKENIZER = spacy.blank("en").tokenizer
WORDS = [
    "stray",
    "dogs",
    "dog",
    "Dog",
    "hot",
    "food",
    "foods",
    "running",
    "ran",
    "bones",
    "ice",
    "creams",
    "the",
    ",",
    "7",
]


def naive(text: str, params: LinkingParams) -> set[tuple[int, int, int, float]]:
    """Every span against every name, one by one."""
    tokens = [token for token in TOKENIZER(text) if not token.is_space]
    found = set()
    for first in range(len(tokens)):
        for last in range(first + 1, min(first + params.max_tokens, len(tokens)) + 1):
            words = [token.text.lower() for token in tokens[first:last]]
            lemmas = [lemma_of(word) for word in words]
            if len(words) == 1 and params.stop_words and is_stop_word(words[0]):
                continue
            for form, score in ((words, 1.0), ([*words[:-1], lemmas[-1]], 0.9), (lemmas, 0.9)):
                node = next((i for i, name in enumerate(NAMES) if name == " ".join(form)), None)
                if node is not None:
                    end = tokens[last - 1].idx + len(tokens[last - 1].text)
                    found.add((tokens[first].idx, end, node, score))
                    break
    return found


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), st.integers(1, 4))
def test_all_mentions_equal_a_scan_of_all_names(text: str, max_tokens: int) -> None:
    params = LinkingParams(overlap="all", max_tokens=max_tokens)
    mentions = linker(params).link([text])[0]
    assert {(m.start, m.end, m.node, m.score) for m in mentions} == naive(text, params)
    longest = linker(LinkingParams(max_tokens=max_tokens)).link([text])[0]
    assert set(longest) <= set(mentions)
    assert all(a.end <= b.start for a, b in pairwise(longest))
    # Nothing that could be linked is left out without a longer neighbour in its way.
    for mention in mentions:
        assert any(other.start < mention.end and mention.start < other.end for other in longest)


def test_linked_text_shows_spans_and_names() -> None:
    mentions = DictionaryLinker(NAMES, LinkingParams()).link(["Stray dogs eat bone."])[0]
    assert (
        linked_text_markdown("Stray dogs eat bone.", mentions, NAMES) == r"**Stray dogs** \[stray dog\] eat **bone**."
    )


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_marks_in_a_text_stay_what_they_are(text: str) -> None:
    html = MarkdownIt("commonmark").renderInline(linked_text_markdown(text.strip(), [], NAMES))
    assert unescape(re.sub("<[^>]*>", "", html)) == text.strip()
