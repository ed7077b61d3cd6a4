from pathlib import Path

import pytest

from dragon_core.graph.errors import WordNetError
from dragon_core.graph.wordnet.files import Pointer, parse_synset, read_wordnet, split_gloss
from tests.graph.wordnet.dictionary_files import DATA, NOUNS, real_wordnet, write_wordnet

# Synsets and word-sense pairs by part of speech, and distinct lemmas: wnstats(7WN) for 3.0, counted for 3.1.
PUBLISHED = {
    117659: {"synsets": [82115, 13767, 18156, 3621], "senses": [146312, 25047, 30002, 5580], "lemmas": 147306},
    117791: {"synsets": [82192, 13789, 18185, 3625], "senses": [146512, 25061, 30070, 5592], "lemmas": 147478},
}


def test_synsets_are_read_as_they_stand_in_the_files(tmp_path: Path) -> None:
    wordnet = read_wordnet(write_wordnet(tmp_path))
    assert not wordnet.rejects
    assert len(wordnet.synsets) == sum(text.count("\n") for text in DATA.values())
    dog = wordnet.synsets["n02084071"]
    assert dog.words == ["dog", "domestic dog", "Canis familiaris"]
    assert dog.lemmas == ["dog", "domestic dog", "canis familiaris"]
    assert (dog.part_of_speech, dog.lexicographer_file) == ("n", "noun.animal")
    assert dog.definition == "a domesticated member of the genus Canis"
    assert dog.examples == ["the dog barked all night"]
    assert dog.pointers[1] == Pointer("#m", "n07994941", 0, 0)
    assert wordnet.synsets["a00300000"].pointers == [Pointer("\\", "n00015388", 1, 2)]


def test_satellites_are_adjectives_and_lose_their_syntactic_marker(tmp_path: Path) -> None:
    boiling = read_wordnet(write_wordnet(tmp_path)).synsets["a00210000"]
    assert boiling.part_of_speech == "a"
    assert boiling.words == ["boiling", "at the boil"]


def test_windows_line_ends_and_a_missing_licence_change_nothing(tmp_path: Path) -> None:
    unix = read_wordnet(write_wordnet(tmp_path / "unix"))
    dos = write_wordnet(tmp_path / "dos", licence="")
    for file in dos.iterdir():
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert read_wordnet(dos) == unix


def test_senses_come_most_frequent_first_across_parts_of_speech(tmp_path: Path) -> None:
    folder = write_wordnet(tmp_path)
    (folder / "index.noun").write_text("move n 2 1 @ 2 1 05000000 07994941  \n")
    (folder / "index.verb").write_text("move v 1 1 @ 1 9 01100000  \n")
    assert read_wordnet(folder).senses["move"] == ["v01100000", "n05000000", "n07994941"]


@pytest.mark.parametrize(
    ("gloss", "definition", "examples"),
    [
        ("a group", "a group", []),
        ('easy; "a b"; "c d."  \n', "easy", ["a b", "c d."]),
        ('having fur (as in "furry dice"); "my furry friend"', 'having fur (as in "furry dice")', ["my furry friend"]),
        ('old: "it is old"; "older"- J.Doe', "old", ["it is old", "older"]),
        ('cut short; "the last quote is never', "cut short", ["the last quote is never"]),
        ('"only a quotation"', '"only a quotation"', []),
    ],
)
def test_a_gloss_is_a_definition_then_examples(gloss: str, definition: str, examples: list[str]) -> None:
    assert split_gloss(gloss) == (definition, examples)


@pytest.mark.parametrize(
    "line", ["", "00001740 03 n 01", "0000174x 03 n 01 entity 0 000 | x", "00001740 99 n 01 entity 0 000 | x"]
)
def test_a_damaged_line_is_no_synset(line: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_synset(line, "n")


def test_damaged_lines_are_rejected_with_their_place(tmp_path: Path) -> None:
    folder = write_wordnet(tmp_path)
    with (folder / "data.noun").open("ab") as file:
        file.write(b"00000001 03 n 01 half 0 009 @\n\xff\xfe | bad\n")
    wordnet = read_wordnet(folder)
    lines = NOUNS.count("\n") + 1
    assert [(r.source, r.record) for r in wordnet.rejects] == [("data.noun", lines + 1), ("data.noun", lines + 2)]
    assert "UTF-8" in wordnet.rejects[1].reason


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    (write_wordnet(tmp_path) / "index.adv").unlink()
    with pytest.raises(WordNetError, match=r"index\.adv is missing"):
        read_wordnet(tmp_path)


def test_the_real_files_have_the_published_counts() -> None:
    folder = real_wordnet()
    if folder is None:
        pytest.skip("WordNet is not on this machine")
    wordnet = read_wordnet(folder)
    assert not wordnet.rejects
    expected = PUBLISHED[len(wordnet.synsets)]
    for number, kind in enumerate("nvar"):
        synsets = [synset for synset in wordnet.synsets.values() if synset.part_of_speech == kind]
        assert len(synsets) == expected["synsets"][number]
        assert sum(len(set(synset.lemmas)) for synset in synsets) == expected["senses"][number]
    assert len(wordnet.senses) == expected["lemmas"]
    assert wordnet.senses.keys() == {lemma for synset in wordnet.synsets.values() for lemma in synset.lemmas}
    assert all(target.target in wordnet.synsets for synset in wordnet.synsets.values() for target in synset.pointers)
    assert "domesticated" in wordnet.synsets[wordnet.senses["dog"][0]].definition
