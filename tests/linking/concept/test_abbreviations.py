import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.linking.concept.abbreviations import find_abbreviations, long_form_start


def pairs(text: str) -> list[tuple[str, str]]:
    return [
        (text[found.short_start : found.short_end], text[found.long_start : found.long_end])
        for found in find_abbreviations(text)
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Genes of hereditary nonpolyposis colorectal cancer (HNPCC) vary.",
            [("HNPCC", "hereditary nonpolyposis colorectal cancer")],
        ),
        (
            "ataxia-telangiectasia (A-T) and von Hippel-Lindau (VHL) disease",
            [("A-T", "ataxia-telangiectasia"), ("VHL", "von Hippel-Lindau")],
        ),
        # The short form first.
        ("Patients with MD (myotonic dystrophy) were seen.", [("MD", "myotonic dystrophy")]),
        # Letters inside a word, where no word begins with them.
        ("adrenoleukodystrophy (ALD)", [("ALD", "adrenoleukodystrophy")]),
        # All first letters of words, although fewer words have the letters.
        ("attenuated adenomatous polyposis coli (AAPC)", [("AAPC", "attenuated adenomatous polyposis coli")]),
        # More in the parenthesis.
        ("colorectal cancer (CRC; MIM 114500)", [("CRC", "colorectal cancer")]),
        ("globoid cell leukodystrophy (Krabbe disease; GLD)", [("GLD", "globoid cell leukodystrophy")]),
    ],
)
def test_definitions_are_found(text: str, found: list[tuple[str, str]]) -> None:
    assert pairs(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "()",
        "A patient (34) and (n = 12)",
        "the heart (see Figure 2)",
        "one sentence ends. (XYZ) begins",
        "retinal cells (RQ)",
    ],
)
def test_other_parentheses_define_nothing(text: str) -> None:
    assert pairs(text) == []


def test_the_long_form_is_in_the_sentence() -> None:
    assert pairs("Myotonic cells. Dystrophy (MD) occurs") == []


def test_offsets_count_characters() -> None:
    assert pairs("Über die Ménière-Krankheit (MK) 😀 hyperinsulinämische Hypoglykämie (HH)") == [
        ("MK", "Ménière-Krankheit"),
        ("HH", "hyperinsulinämische Hypoglykämie"),
    ]


@given(st.text("ab -(", max_size=12), st.text("abAB-", min_size=1, max_size=4))
def test_a_long_form_has_the_letters_of_the_short_form_in_order(before: str, short: str) -> None:
    length = long_form_start(short, before)
    if length is not None:
        long = iter(before[len(before) - length :].lower())
        assert all(letter in long for letter in short.lower() if letter.isalnum())


@given(st.text(max_size=60))
def test_any_text_can_be_searched(text: str) -> None:
    for found in find_abbreviations(f"{text} ({text}) {text}"):
        assert found.short_end <= found.long_start or found.long_end <= found.short_start
