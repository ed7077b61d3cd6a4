"""What questions were prepared before: of a set that changed, only what is new of it is prepared."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts import Artifact, ArtifactStore, Stage
from dragon_core.artifacts.manifest import InputRecord
from dragon_core.qa.question import Question

# Question, context, and the texts that are read with them: what their rows are a function of, name and answer aside.
Item = tuple[str, str, tuple[str, ...]]

FILES_IN_MEMORY = 16


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
    """Rows of prepared questions, by what was asked; damaged files have none.

    Args:
        artifacts: Artifacts of `PrepareQuestions`.
    """

    def __init__(self, artifacts: Iterable[Artifact]) -> None:
        self._places: dict[Item, tuple[Path, int]] = {}
        self._read = lru_cache(FILES_IN_MEMORY)(pq.read_table)
        for artifact in artifacts:
            for file in artifact.manifest.files:
                if artifact.store_folder.is_intact(file, checksum=True):
                    path = artifact.path(file.name)
                    self._places |= {item: (path, start) for item, start in _items_in(path)}

    def of(self, question: Question, texts: Sequence[str]) -> pa.Table | None:
        """Rows (`schema.choices_schema`) of a question, with its name and answer; None if it was not prepared.

        Args:
            question: The question.
            texts: What is read with it, a text a row.
        """
        place = self._places.get((question.question, question.context, tuple(texts)))
        if place is None:
            return None
        path, start = place
        rows: pa.Table = self._read(path).slice(start, len(texts))
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
    for start, end in zip(starts, [*starts[1:], len(names)], strict=True):
        yield (questions[start], contexts[start], tuple(texts[start:end])), start
