from pathlib import Path

import pytest

from dragon_core.linking.concept.annotations import AnnotatedDocument, Annotation, annotated_names, read_pubtator
from dragon_core.linking.errors import LinkingError

NODES = {"D001": 0, "613097": 1, "C002": 2}
TEXT = (
    "\n"
    "10021369|t|APC and Ménière disease.\n"
    "10021369|a|Colon | cancer (CC). \n"
    "10021369\t0\t3\tAPC\tModifier\tD001\n"
    "10021369\t8\t23\tMénière disease\tSpecificDisease\t MESH:C002 \n"
    "10021369\t25\t39\tColon | cancer\tSpecificDisease\tD001|OMIM:613097\n"
    "10021369\t41\t43\tCC\tSpecificDisease\tD001+C002\n"
    "\n"
    "\n"
    "7|t|Another title\n"
    "7|a|\n"
    "7\t8\t13\ttitle\tDiseaseClass\tOMIM:999\n"
)


def read(folder: Path, text: str) -> list[AnnotatedDocument]:
    path = folder / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    return list(read_pubtator(path, NODES))


def test_the_format_is_read_with_all_its_oddities(tmp_path: Path) -> None:
    first, second = read(tmp_path, TEXT)
    assert first.text == "APC and Ménière disease. Colon | cancer (CC). "
    assert [(first.text[a.start : a.end], a.nodes) for a in first.annotations] == [
        ("APC", (0,)),
        ("Ménière disease", (2,)),
        ("Colon | cancer", (0, 1)),
        ("CC", (0, 2)),
    ]
    # Without an empty line at the end, without an abstract, and with an id that is no node.
    assert second == AnnotatedDocument("7", "Another title ", (Annotation(8, 13, ()),))


def test_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "windows").mkdir()
    assert read(tmp_path / "windows", TEXT.replace("\n", "\r\n")) == read(tmp_path, TEXT)


def test_names_count_for_each_node_of_a_composite_mention(tmp_path: Path) -> None:
    assert annotated_names(read(tmp_path, TEXT)) == {
        ("APC", 0): 1,
        ("Ménière disease", 2): 1,
        ("Colon | cancer", 0): 1,
        ("Colon | cancer", 1): 1,
        ("CC", 0): 1,
        ("CC", 2): 1,
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("stray words", r"corpus.txt:2 is neither a line .* mend or remove it"),
        ("1\tx\t3\tTit\tDisease\tD001", r"corpus.txt:2 is neither"),
        ("1\t3\t99\tTitle\tDisease\tD001", r"corpus.txt:2: the mention 3-99 is not in the text of 5 characters"),
        ("1\t0\t3\tAPC\tDisease\tD001", r"corpus.txt:2: the text has 'Tit' at 0-3, and the mention is 'APC'"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(LinkingError, match=message):
        read(tmp_path, f"1|t|Title\n{line}\n")


def test_no_documents(tmp_path: Path) -> None:
    assert read(tmp_path, "") == []


def test_a_document_that_begins_within_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "documents.txt"
    path.write_text("1|t|One\n1|a|two\n2|t|Three\n", encoding="utf-8")
    with pytest.raises(LinkingError, match=r"documents\.txt:3 begins 2 within 1"):
        list(read_pubtator(path, {}))
