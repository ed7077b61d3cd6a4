import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragon_core.graph import delimited
from dragon_core.graph.delimited import matching_files, read_delimited, read_header
from dragon_core.graph.errors import GraphError
from tests.graph.building import scratch_writer

COLUMNS = ("a", "b", "c")
Row = tuple[str, ...]


def read(path: Path, columns: tuple[str, ...] = COLUMNS, **options: object) -> tuple[list[Row], list[Row], int]:
    """Rows with the number of their line last, rejects, and the count of records."""
    writer = scratch_writer(path.parent)
    frames = list(read_delimited(path, columns, writer, **options))  # type: ignore[arg-type]
    rows = pl.concat(frames).rows() if frames else []
    return rows, [(record, reason) for _, record, reason in writer.rejects], writer.counts["records"]


def naive(lines: list[bytes]) -> tuple[list[Row], list[str], int]:
    """One line at a time: rows, numbers of the rejected lines, and how many lines are records."""
    rows, rejects, records = [], [], 0
    for number, line in enumerate(lines, start=1):
        text = line.decode("utf-8", "replace")
        fields = text.split("\t")
        has_something = any(fields) if len(fields) == len(COLUMNS) else text.strip()
        if not has_something:
            continue
        records += 1
        if len(fields) != len(COLUMNS) or "\ufffd" in text:
            rejects.append(str(number))
        else:
            rows.append((*fields, number))
    return rows, rejects, records


field = st.text(st.sampled_from('ab"é,|\\ \u2028'), max_size=6).map(str.encode)
good = st.lists(field, min_size=3, max_size=3).map(b"\t".join)
malformed = st.lists(field, max_size=6).map(b"\t".join)
not_utf8 = st.just(b"x\t\xff\ty")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    lines=st.lists(st.one_of(good, good, good, malformed, not_utf8), min_size=1, max_size=60),
    skip=st.integers(0, 2),
    block=st.integers(60, 400),
    end=st.sampled_from([b"\n", b"\r\n"]),
    is_ended=st.booleans(),
)
def test_rows_lines_and_rejects_are_those_of_a_naive_reader(
    tmp_path: Path, lines: list[bytes], skip: int, block: int, end: bytes, is_ended: bool
) -> None:
    lines = [b"1\t2\t3", *lines, b"1\t2\t3"]
    path = tmp_path / "file.tsv"
    path.write_bytes(b"head\n" * skip + end.join(lines) + (end if is_ended else b""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK_BYTES", block)
        rows, rejects, records = read(path, skip=skip)
    expected_rows, expected_rejects, expected_records = naive(lines)
    assert rows == [(*row[:-1], int(row[-1]) + skip) for row in expected_rows]
    assert sorted(int(line) for line, _ in rejects) == [int(line) + skip for line in expected_rejects]
    assert records == expected_records


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress)],
    ids=["plain", "gzip", "bzip2"],
)
def test_compressed_files_and_byte_order_marks_say_the_same(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"file.tsv{suffix}"
    path.write_bytes(compress("\ufeffa\tb\tc\n1\t2\t3\n".encode()))
    assert read_header(path, "\t") == ["a", "b", "c"]
    assert read(path)[0] == [("a", "b", "c", 1), ("1", "2", "3", 2)]
    assert read(path, skip=1)[0] == [("1", "2", "3", 2)]


def test_only_wanted_columns_are_given_and_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "file.tsv"
    path.write_bytes(b"1\t\xff\t3\n")
    assert read(path, wanted=("c", "a"))[0] == [("3", "1", 1)]
    assert read(path)[1] == [("1", "it is not UTF-8")]


def test_quotes_mean_something_only_where_fields_are_quoted(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text('1,"two, and\nmore",3\n4,"say ""5""",6\n')
    rows, rejects, _ = read(path, separator=",", is_quoted=True)
    assert rows == [("1", "two, and\nmore", "3", 1), ("4", 'say "5"', "6", 2)]
    assert not rejects
    path.write_text('1\t"two\t3\n4\t5"\t6\n')
    assert read(path)[0] == [("1", '"two', "3", 1), ("4", '5"', "6", 2)]


def test_a_header_has_its_quotes_and_its_comment_sign_taken_off(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text('#note\n# head ,"the, tail"\n')
    assert read_header(path, ",", is_quoted=True, skip=1) == ["head", "the, tail"]
    path.write_text('"a\tb"\n')
    assert read_header(path, "\t") == ['"a', 'b"']


def test_an_empty_file_has_no_rows_and_no_header(tmp_path: Path) -> None:
    path = tmp_path / "file.tsv"
    path.write_bytes(b"")
    assert read(path) == ([], [], 0)
    path.write_bytes(b"\n\n")
    assert read(path) == ([], [], 0)
    path.write_bytes(b"")
    with pytest.raises(GraphError, match="is empty"):
        read_header(path, "\t")


def test_another_separator_is_one_sentence_with_an_example(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("1,2,3\n4,5,6\n")
    with pytest.raises(GraphError, match=r"3 fields \(a, b, c\) divided by '\\t'; the first that has not is '1,2,3'"):
        read(path)


def test_a_file_of_another_form_is_given_up_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MOST_MALFORMED", 5)
    path = tmp_path / "file.tsv"
    path.write_text("1\t2\t3\n" + "prose\n" * 6)
    with pytest.raises(GraphError, match="the first that has not is 'prose'"):
        read(path)


@pytest.mark.parametrize(
    "content", [b"no gzip at all", gzip.compress(b"1\t2\t3\n" * 10_000)[:-40]], ids=["none", "cut"]
)
def test_a_damaged_archive_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.tsv.gz"
    path.write_bytes(content)
    with pytest.raises(GraphError, match=r"file\.tsv\.gz cannot be read"):
        read(path)


def test_files_are_found_in_order_and_not_finding_any_is_one_sentence(tmp_path: Path) -> None:
    for name in ("b.tsv", "a.tsv", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.tsv").mkdir()
    assert [path.name for path in matching_files(tmp_path, "*.tsv")] == ["a.tsv", "b.tsv"]
    assert matching_files(tmp_path / "c.txt", "*.tsv") == [tmp_path / "c.txt"]
    with pytest.raises(GraphError, match=r"holds no file that matches '\*\.csv'"):
        matching_files(tmp_path, "*.csv")
