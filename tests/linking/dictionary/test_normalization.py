from hypothesis import given
from hypothesis import strategies as st

from dragon_core.linking.dictionary.normalization import SEPARATOR, normalize, normalize_names


def words_of(text: str) -> list[str]:
    """The normalised words, punctuation as `|`."""
    return normalize([text]).text.decode().replace("\x01", "|").split(SEPARATOR)[1].split()


def test_case_accents_and_compatibility_forms_are_folded() -> None:
    words = ["cafe", "cafe", "strasse", "fine", "istanbul", "m2", "中文"]
    assert words_of("CAFÉ cafe\u0301 Straße ﬁne İstanbul m² 中文") == words


def test_rare_characters_stay_and_fractions_are_no_other_numbers() -> None:
    assert words_of("\U00020bb7\u91ce") == ["\U00020bb7\u91ce"]
    assert words_of("\u845b\U000e0100\u57ce") == ["\u845b\u57ce"]
    assert words_of("\u00bd cup 1\u00bd") == ["|", "cup", "1", "|"]


def test_punctuation_within_a_word_divides_joins_or_stays() -> None:
    assert words_of("mother-in-law snake_case") == ["mother", "in", "law", "snake", "case"]
    assert words_of("dog's dogs' o’clock 'tis") == ["dog", "'s", "dogs", "|", "o", "'clock", "|", "tis"]
    assert words_of("U.S. e.g. 3.5 there.Where") == ["u.s", "|", "e.g", "|", "3.5", "there", "|", "where"]
    assert words_of("1,000 cats,dogs") == ["1,000", "cats", "|", "dogs"]
    assert words_of("AT&T a & b c# $5 50%") == ["at&t", "a", "|", "b", "c#", "$5", "50%"]
    assert words_of("zero\u200bwidth soft\u00adhyphen") == ["zerowidth", "softhyphen"]


def test_names_lose_punctuation_at_their_ends() -> None:
    assert normalize_names(["(Ice  cream)", "U.S.", "...", "", "7-up", f"a{SEPARATOR}b"]) == [
        *("ice cream", "u.s", "", "", "7 up", "a b"),
    ]


@given(st.lists(st.text(st.characters(codec=None)), max_size=4))
def test_every_byte_knows_the_character_it_comes_from(texts: list[str]) -> None:
    normalized = normalize(texts)
    assert len(normalized.characters) == len(normalized.text)
    assert "  " not in normalized.text.decode()
    assert (normalized.characters[1:] >= normalized.characters[:-1]).all()
    joined = "".join(f"{SEPARATOR}{text}" for text in texts) + SEPARATOR
    assert [joined[start : start + len(text)] for start, text in zip(normalized.starts, texts, strict=True)] == texts
    for byte, character in zip(normalized.text, normalized.characters, strict=True):
        if chr(byte).isascii() and chr(byte).isalnum():
            assert chr(byte) in normalize_names([joined[character]])[0]


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_batch_is_its_texts_one_by_one(texts: list[str]) -> None:
    texts = [text.replace(SEPARATOR, "") for text in texts]
    parts = normalize(texts).text.decode().split(SEPARATOR)[1:-1]
    assert parts == [normalize([text]).text.decode().split(SEPARATOR)[1] for text in texts]
