"""Writes small files in the formats of question sets, and reads them with the stage."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from dragon_core.artifacts import ArtifactStore, ExternalFiles, make
from dragon_core.artifacts.draft import REJECTS_NAME
from dragon_core.qa import ReadQuestions
from dragon_core.qa.schema import QUESTIONS, SPLITS, split_name

LETTERS = "ABCDEFGH"


class Read(NamedTuple):
    """What the stage made of a folder.

    Attributes:
        train: Rows of train.
        dev: Rows of dev.
        test: Rows of test.
        counts: What was counted.
        rejects: (file, record, reason).
    """

    train: list[dict[str, Any]]
    dev: list[dict[str, Any]]
    test: list[dict[str, Any]]
    counts: dict[str, int]
    rejects: list[tuple[str, str, str]]

    def ids(self) -> tuple[list[str], list[str], list[str]]:
        """Ids of train, dev and test."""
        train, dev, test = ([row["question_id"] for row in rows] for rows in self[:3])
        return train, dev, test


def read(folder: Path | None, store: Path, **params: Any) -> Read:
    """Run the stage; any share of rejects is accepted."""
    source = None if folder is None else ExternalFiles.of("questions", folder)
    stage = ReadQuestions.model_validate({"source": source, "params": {"max_reject_share": 1.0} | params})
    artifact = make(stage, ArtifactStore(str(store)))
    tables = [pq.read_table(artifact.path(split_name(split))) for split in SPLITS]
    assert all(table.schema.equals(QUESTIONS) for table in tables)
    path = artifact.folder / REJECTS_NAME
    rejects = [tuple(row.values()) for row in pq.read_table(path).to_pylist()] if path.exists() else []
    train, dev, test = (table.to_pylist() for table in tables)
    return Read(train, dev, test, artifact.manifest.counts, rejects)


def write_lines(path: Path, rows: list[Any]) -> None:
    """Write a file with a JSON value a line; text is written as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def labelled(question_id: str, answer: str | None = "A", labels: str = "ABCDE", **more: str) -> dict[str, Any]:
    """An item whose choices have labels, as CommonsenseQA and others have it."""
    choices = [{"label": label, "text": f"choice {label} of {question_id}"} for label in labels]
    item = {"id": question_id, "question": {"stem": f"What is {question_id}?", "choices": choices}} | more
    return item if answer is None else item | {"answerKey": answer}


def many(name: str, count: int, **options: Any) -> list[dict[str, Any]]:
    """Items that are named and numbered."""
    return [labelled(f"{name}{number}", **options) for number in range(count)]
