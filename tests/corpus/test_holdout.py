from hypothesis import given
from hypothesis import strategies as st

from dragon_core.corpus.holdout import MIN_WORDS, Holdout, normalised_words
from dragon_core.corpus.segmentation import Segment

WORDS = st.sampled_from(["a", "b", "c"])
DEFINITION = st.lists(WORDS, min_size=1, max_size=7).map(" ".join)


def repeats(definition: str, text: str) -> bool:
    """The naive version: a search in the text, with a space around every word."""
    return f" {' '.join(normalised_words(definition))} " in f" {' '.join(normalised_words(text))} "


def segment_of(sentences: list[str]) -> Segment:
    return Segment("s", [("d", sentence) for sentence in sentences])


@given(st.lists(DEFINITION, max_size=5), st.lists(st.lists(WORDS, min_size=1, max_size=9).map(" ".join), max_size=6))
def test_no_held_out_definition_is_left_in_a_segment(definitions: list[str], sentences: list[str]) -> None:
    holdout = Holdout(definitions, share=0.5, seed=1)
    held_out = [definition for definition in definitions if holdout.holds(definition)]
    cleaned = holdout.clean(segment_of(sentences))
    assert not any(repeats(definition, cleaned.text) for definition in held_out)
    if not any(repeats(definition, " ".join(sentences)) for definition in held_out):
        assert cleaned == segment_of(sentences)


def test_only_the_sentence_that_repeats_a_definition_is_dropped() -> None:
    holdout = Holdout(["A feline mammal, with fur"], share=1, seed=0)
    sentences = ["cats purr.", "Cat: a FELINE mammal (with fur).", "a feline mammal with furry ears."]
    assert [sentence for _, sentence in holdout.clean(segment_of(sentences)).sentences] == [sentences[0], sentences[2]]


def test_a_definition_across_two_sentences_is_found() -> None:
    holdout = Holdout(["one two three four"], share=1, seed=0)
    assert holdout.clean(segment_of(["zero one two.", "Three four five.", "Six."])).text == "zero one two. Six."


def test_sentences_brought_together_are_searched_again() -> None:
    holdout = Holdout(["a b c d", "p q r s"], share=1, seed=0)
    assert holdout.clean(segment_of(["a b", "p q r s", "c d"])).text == "a b"


def test_equal_definitions_fall_on_the_same_side_however_they_are_written() -> None:
    holdout = Holdout([], share=0.5, seed=3)
    for number in range(50):
        assert holdout.holds(f"The thing, number {number}") == holdout.holds(f"the  thing number {number}.")


def test_the_share_is_kept_and_the_seed_decides() -> None:
    definitions = [f"a thing with number {number}" for number in range(4000)]
    first, second = ({d for d in definitions if Holdout([], 0.1, seed).holds(d)} for seed in (0, 1))
    assert 300 < len(first) < 500
    assert len(first & second) < 100
    assert {d for d in definitions if Holdout([], 0.05, 0).holds(d)} < first
    assert not any(Holdout([], 0, 0).holds(d) for d in definitions)


def test_very_short_definitions_are_never_held_out() -> None:
    holdout = Holdout([], share=1, seed=0)
    assert not holdout.holds("w " * (MIN_WORDS - 1))
    assert holdout.holds("w " * MIN_WORDS)
