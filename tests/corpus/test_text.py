import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.corpus import Document, EmptyCorpusError
from dragon_core.corpus.text import TextReader, split_sentences

Rejects = list[tuple[str, int | str, str]]


def read(folder: Path, max_record_bytes: int = 10_000) -> tuple[list[Document], Rejects]:
    rejects: Rejects = []
    reader = TextReader(folder, max_record_bytes)
    documents = list(reader.documents(lambda source, record, reason: rejects.append((source, record, reason))))
    assert reader.done == reader.total
    return documents, rejects


def test_blank_lines_divide_a_text_file_into_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\ufeffFirst one. Second\none!\n\n  \nThird.\r\n", encoding="utf-8")
    documents, rejects = read(tmp_path)
    assert documents == [
        Document("a.txt:1", "a.txt", ["First one.", "Second one!"]),
        Document("a.txt:5", "a.txt", ["Third."]),
    ]
    assert not rejects


def test_files_of_all_kinds_are_read_in_the_order_of_their_paths(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    with gzip.open(tmp_path / "deep" / "er" / "b.txt.gz", "wt") as file:
        file.write("From gzip.")
    with gzip.open(tmp_path / "c.jsonl.gz", "wt") as file:
        file.write(json.dumps({"text": "From JSON.\nTwo lines.", "id": 7}) + "\n\n")
    (tmp_path / "a.jsonl").write_text('{"text": "Plain."}\n{"text": "More."}')
    (tmp_path / "notes.md").write_text("Not read.")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/hidden.txt").write_text("Not read.")
    documents, rejects = read(tmp_path)
    assert [(d.doc_id, d.sentences) for d in documents] == [
        ("a.jsonl:1", ["Plain."]),
        ("a.jsonl:2", ["More."]),
        ("c.jsonl.gz:1", ["From JSON.", "Two lines."]),
        ("deep/er/b.txt.gz:1", ["From gzip."]),
    ]
    assert not rejects


def test_bad_records_are_rejected_and_the_good_ones_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good one\n\n\xff\xfe bad\n\n" + b"x" * 3000 + b"\n\ngood two\n")
    lines = [
        b'{"text": "good"}',
        b"{",
        b"[1]",
        b'{"text": 1}',
        b'{"body": ""}',
        b'{"text": " "}',
        b'{"text": "\\ud800"}',
    ]
    (tmp_path / "b.jsonl").write_bytes(b"\n".join([*lines, b"\xff", b'{"text": "last"}']))
    (tmp_path / "c.txt").write_bytes(b"")
    documents, rejects = read(tmp_path, max_record_bytes=1000)
    assert [d.doc_id for d in documents] == ["a.txt:1", "a.txt:7", "b.jsonl:1", "b.jsonl:9"]
    assert [(source, record) for source, record, _ in rejects] == [
        ("a.txt", 3),
        ("a.txt", 5),
        *[("b.jsonl", line) for line in range(2, 9)],
        ("c.txt", 1),
    ]
    reasons = [reason for _, _, reason in rejects]
    assert "not UTF-8" in reasons[0]
    assert "longer than 1000 bytes" in reasons[1]
    assert "not JSON" in reasons[2]
    assert 'string "text"' in reasons[3]
    assert "no text" in reasons[6]
    assert "surrogate" in reasons[7]


@pytest.mark.parametrize("damage", ["truncated", "not gzip"])
def test_a_damaged_archive_does_not_stop_the_corpus(tmp_path: Path, damage: str) -> None:
    lines = [json.dumps({"text": f"Sentence number {number * 7919}."}) for number in range(20_000)]
    archive = gzip.compress("\n".join(lines).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(archive[: len(archive) // 2] if damage == "truncated" else b"plain text")
    (tmp_path / "b.txt").write_text("good")
    documents, rejects = read(tmp_path)
    assert documents[-1].source == "b.txt"
    assert (len(documents) > 100) == (damage == "truncated")
    assert [source for source, _, _ in rejects] == ["a.jsonl.gz"]


def test_a_long_run_of_lines_is_several_documents(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("\n".join(f"sentence {number} ." for number in range(1000)))
    documents, rejects = read(tmp_path, max_record_bytes=1000)
    assert len(documents) > 10
    assert [s for d in documents for s in d.sentences] == [f"sentence {number} ." for number in range(1000)]
    assert not rejects


def test_a_single_file_is_a_corpus_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Alone.")
    assert read(tmp_path / "a.txt")[0] == [Document("a.txt:1", "a.txt", ["Alone."])]


def test_a_folder_without_text_is_an_empty_corpus(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")
    with pytest.raises(EmptyCorpusError, match=r"holds no \.txt"):
        TextReader(tmp_path, 1000)


@pytest.mark.parametrize(
    ("lines", "sentences"),
    [
        (['He said "Stop!" Then he left.'], ['He said "Stop!"', "Then he left."]),
        (["one ended .", "two", "goes on"], ["one ended .", "two goes on"]),
        (["Pi is 3.14 here. OK?  (Yes.)"], ["Pi is 3.14 here.", "OK?", "(Yes.)"]),
        (["", "  "], []),
    ],
)
def test_sentences_end_where_people_end_them(lines: list[str], sentences: list[str]) -> None:
    assert split_sentences(lines) == sentences


@given(st.lists(st.text(alphabet="aB1.!?\"')( \t", max_size=30), max_size=6))
def test_splitting_loses_nothing_but_white_space(lines: list[str]) -> None:
    assert "".join(split_sentences(lines)).replace(" ", "") == "".join("".join(lines).split())
