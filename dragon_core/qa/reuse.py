"""What questions were prepared before: of a set that changed, only what is new of it is prepared."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts import Artifact, ArtifactStore, Stage
from dragon_core.artifacts.manifest import FileRecord, InputRecord
from dragon_core.qa.question import Question

# Question, context, and the texts that are read with them: what their rows are a function of, name and answer aside.
Item = tuple[str, str, tuple[str, ...]]

UNREADABLE = (OSError, pa.ArrowException)


def prepared_alike(stage: Stage, store: ArtifactStore) -> Iterator[Artifact]:
    """Artifacts that the same stage made with the same parameters, from the same inputs but for the questions."""

    def inputs_but_questions(records: dict[str, InputRecord]) -> dict[str, str]:
        return {name: record.digest for name, record in records.items() if name != "questions"}

    params, inputs = stage.params.model_dump(mode="json"), inputs_but_questions(store.input_records(stage))
    for artifact in store.artifacts(stage.name):
        made = artifact.manifest
        if (made.version, made.params, inputs_but_questions(made.inputs)) == (stage.version, params, inputs):
            yield artifact


class PreparedRows:
    """Rows of prepared questions, by what was asked; what is damaged, or gone meanwhile, has none.

    Args:
        artifacts: Artifacts of `PrepareQuestions`.
    """

    def __init__(self, artifacts: Iterable[Artifact]) -> None:
        self._places: dict[Item, tuple[Artifact, FileRecord, int]] = {}
        for artifact in artifacts:
            for file in artifact.manifest.files:
                with suppress(*UNREADABLE):
                    self._places |= {item: (artifact, file, row) for item, row in _items_in(artifact.path(file.name))}

    def of(self, questions: Sequence[Question], texts: Sequence[Sequence[str]]) -> list[pa.Table | None]:
        """Rows (`schema.choices_schema`) of questions, with their names and answers; None of one that has none.

        Args:
            questions: The questions.
            texts: What is read with each, a text a row.
        """
        found: list[pa.Table | None] = [None] * len(questions)
        # File by file, since each is read whole.
        wanted: dict[str, tuple[Artifact, FileRecord, list[tuple[int, int]]]] = {}
        for position, (question, read) in enumerate(zip(questions, texts, strict=True)):
            place = self._places.get((question.question, question.context, tuple(read)))
            if place is not None:
                artifact, file, row = place
                wanted.setdefault(file.sha256, (artifact, file, []))[2].append((position, row))
        for artifact, file, places in wanted.values():
            with suppress(*UNREADABLE):
                if artifact.store_folder.is_intact(file, checksum=True):
                    table = pq.read_table(artifact.path(file.name))
                    for position, row in places:
                        rows = table.slice(row, len(texts[position]))
                        found[position] = _renamed(rows, questions[position])
        return found


def _renamed(rows: pa.Table, question: Question) -> pa.Table:
    for name in ("question_id", "answer"):
        field = rows.schema.field(name)
        values = pa.array([getattr(question, name)] * len(rows), field.type)
        rows = rows.set_column(rows.schema.get_field_index(name), field, values)
    return rows


def _items_in(path: Path) -> Iterator[tuple[Item, int]]:
    """What was asked in a file, and the first row of each."""
    table = pq.read_table(path, columns=["question_id", "question", "context", "text"])
    names, questions, contexts, texts = (table[name].to_pylist() for name in table.column_names)
    starts = [row for row, name in enumerate(names) if row == 0 or name != names[row - 1]]
    for start, end in pairwise([*starts, len(names)]):
        yield (questions[start], contexts[start], tuple(texts[start:end])), start
