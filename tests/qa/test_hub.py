"""Data sets as `datasets` loads them, from folders, since the Hub may be out of reach."""

import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from dragon_core.artifacts import ExternalFiles
from dragon_core.qa import QuestionError, ReadQuestions
from dragon_core.qa.reading import reading_of
from dragon_core.qa.sources.hub import choices_in
from dragon_core.qa.sources.items import MalformedItemError
from tests.qa.question_files import read, write_lines

datasets = pytest.importorskip("datasets")

LABELLED = {"label": ["1", "2", "3"], "text": ["a dog", "a cat", "a cow"]}


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def write_table(folder: Path, split: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{split}-00000-of-00001.parquet")


def test_labelled_choices_in_parquet(tmp_path: Path) -> None:
    rows = [
        {"id": f"q{n}", "question": f"What barks {n} times?", "choices": LABELLED, "answerKey": "2"} for n in range(4)
    ]
    write_table(tmp_path / "set", "train", rows[:2])
    write_table(tmp_path / "set", "validation", rows[2:3])
    write_table(tmp_path / "set", "test", [rows[3] | {"answerKey": ""}])
    columns = {"id": "id", "answer": "answerKey"}
    found = read(tmp_path / "set", tmp_path / "store", source="hub", columns=columns)
    assert found.ids() == (["q0", "q1"], ["q2"], ["q3"])
    assert found.dev[0] == {
        "question_id": "q2",
        "question": "What barks 2 times?",
        "context": "",
        "choices": ["a dog", "a cat", "a cow"],
        "labels": ["1", "2", "3"],
        "answer": 1,
    }
    assert found.test[0]["answer"] is None


def test_a_column_a_choice_positions_and_splits_cut_of_one(tmp_path: Path) -> None:
    rows = [{"ask": f"Question {n}", "about": "Animals.", "opa": "dog", "opb": "cat", "cop": n % 2} for n in range(10)]
    write_lines(tmp_path / "set/train.jsonl", rows)
    write_lines(tmp_path / "set/test.jsonl", [rows[0] | {"cop": -1}])
    columns = {"question": "ask", "context": "about", "choices": ["opa", "opb"], "answer": "cop"}
    cut = {"train": "train[:80%]", "dev": "train[80%:]", "columns": columns}
    found = read(tmp_path / "set", tmp_path / "store", source="hub", **cut)
    assert [len(ids) for ids in found.ids()] == [8, 2, 1]
    assert found.ids()[1] == ["train[80%:]-1", "train[80%:]-2"]
    assert [row["answer"] for row in found.dev] == [0, 1]
    assert (found.test[0]["answer"], found.test[0]["context"]) == (None, "Animals.")


def test_fixed_choices_and_labels_that_the_data_do_not_have(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        write_lines(tmp_path / "set" / f"{split}.jsonl", [{"question": "Is it so?", "label": 2}])
    params = {"fixed_choices": ["yes", "no"], "labels": ["1", "2"], "columns": {"answer": "label"}}
    found = read(tmp_path / "set", tmp_path / "store", source="hub", **params)
    assert (found.train[0]["choices"], found.train[0]["answer"]) == (["yes", "no"], 1)


def test_a_context_of_several_texts_within_a_column_and_an_answer_that_is_true_or_false(tmp_path: Path) -> None:
    row = {"question": "Is it so?", "context": {"contexts": ["It is.", "Mostly."], "meshes": []}, "holds": True}
    for split in ("train", "validation", "test"):
        write_lines(tmp_path / "set" / f"{split}.jsonl", [row, row | {"holds": False}])
    params = {"fixed_choices": ["no", "yes"], "columns": {"context": "context.contexts", "answer": "holds"}}
    found = read(tmp_path / "set", tmp_path / "store", source="hub", **params)
    assert [(row["context"], row["answer"]) for row in found.train] == [("It is. Mostly.", 1), ("It is. Mostly.", 0)]
    by_name = params | {"labels": ["False", "True"], "columns": {"answer": "holds", "context": None}}
    found = read(tmp_path / "set", tmp_path / "store", source="hub", **by_name)
    assert [(row["context"], row["answer"]) for row in found.train] == [("", 1), ("", 0)]
    # A column that has nothing in any row is no misspelt one.
    for split in ("train", "validation", "test"):
        write_lines(tmp_path / "none" / f"{split}.jsonl", [row | {"context": None}] * 2)
    assert [row["context"] for row in read(tmp_path / "none", tmp_path / "store", source="hub", **params).train] == [
        ""
    ] * 2
    misspelt = params | {"columns": {"context": "context.contxts", "answer": "holds"}}
    with pytest.raises(QuestionError, match=r"has no column context\.contxts: it has .*context\.contexts"):
        read(tmp_path / "set", tmp_path / "store", source="hub", **misspelt)
    with pytest.raises(QuestionError, match=r"has no column contexts\.text: it has"):
        read(tmp_path / "set", tmp_path / "store", source="hub", **params | {"columns": {"question": "contexts.text"}})


def test_rows_that_cannot_be_read_are_rejects_with_split_and_row(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = {"question": "What barks?", "choices": ["dog", "cat"], "answer": "dog"}
    for split in ("train", "validation", "test"):
        write_lines(tmp_path / "set" / f"{split}.jsonl", [good, good | {"answer": "cow"}])
    found = read(tmp_path / "set", tmp_path / "store", source="hub")
    assert [len(ids) for ids in found.ids()] == [1, 1, 1]
    assert ("set, train", "2", "its answer 'cow' is neither one of its choices nor a letter of one") in found.rejects
    assert "3 records were rejected, the first of them record 2 of set, test: its answer 'cow'" in caplog.text


def test_what_is_missing_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lines(tmp_path / "set/train.jsonl", [{"question": "What barks?", "options": ["dog", "cat"], "answer": 0}])
    with pytest.raises(QuestionError, match=r"cannot load the split test of .*set"):
        read(tmp_path / "set", tmp_path / "store", source="hub")
    write_lines(tmp_path / "program/program.py", ["import datasets"])
    with pytest.raises(QuestionError, match=r"take a commit of the Hub's branch refs/convert/parquet"):
        read(tmp_path / "program", tmp_path / "store", source="hub")
    with pytest.raises(QuestionError, match=r"has no column choices: it has .*options"):
        read(tmp_path / "set", tmp_path / "store", source="hub", test="train")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(QuestionError, match=r"make .venv/installed-hub"):
        read(tmp_path / "set", tmp_path / "store", source="hub")


def test_a_set_has_a_name_with_a_revision_or_files(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", [{}])
    files = ExternalFiles.of("questions", tmp_path)
    named = {"source": "hub", "dataset": "owner/name", "revision": "0" * 40}
    assert ReadQuestions.model_validate({"params": named}).external == {}
    for stage, message in (
        ({"params": named, "source": files}, "give one of the two"),
        ({"params": {"source": "hub"}}, "give its folder"),
        ({"params": {"source": "hub", "dataset": "owner/name"}}, "the revision"),
        ({"params": named | {"revision": "main"}}, "revision"),
    ):
        with pytest.raises(ValidationError, match=message):
            ReadQuestions.model_validate(stage)


def test_options_name_a_set_of_the_hub(tmp_path: Path) -> None:
    named = reading_of(None, "hub", f'{{"dataset": "owner/name", "revision": "{"0" * 40}"}}')
    assert (named.source, named.params.source) == (None, "hub")
    write_lines(tmp_path / "train.jsonl", [{}])
    assert reading_of(tmp_path, "hub").source == ExternalFiles.of("hub", tmp_path)
    for source in ("hub", "own"):
        with pytest.raises(QuestionError, match=f"cannot be read: .*the source '{source}' is read from files"):
            reading_of(None, source)


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        (LABELLED, ["1", "2", "3"]),
        ([{"label": "A", "text": "a dog"}, {"label": "B", "text": "a cat"}, {"label": "C", "text": "a cow"}], [*"ABC"]),
        ([{"key": "A", "value": "a dog"}, {"key": "B", "value": "a cat"}, {"key": "C", "value": "a cow"}], [*"ABC"]),
        ({"A": "a dog", "B": "a cat", "C": "a cow", "D": None}, [*"ABC"]),
        (["a dog", "a cat", "a cow"], []),
    ],
)
def test_choices_are_read_in_every_form_that_columns_have(value: Any, labels: list[str]) -> None:
    assert choices_in(value) == (labels, ["a dog", "a cat", "a cow"])


@pytest.mark.parametrize(
    "value",
    [
        None,
        "a dog",
        [1, 2],
        {"label": "A", "text": "a dog"},
        {"label": ["A", "B", "C"], "text": ["a dog", "a cat"]},
        [{"text": "a dog"}],
        [{"key": "A", "value": "a dog"}, {"text": "a cat"}],
        [{"key": "A", "value": "a dog"}, "a cat"],
    ],
)
def test_choices_of_another_form_are_refused(value: Any) -> None:
    with pytest.raises(MalformedItemError):
        choices_in(value)
