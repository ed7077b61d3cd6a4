"""Questions that were prepared before are not prepared again, and are what they would be otherwise."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragon_core.artifacts import Artifact, ArtifactStore, ExternalFiles, make
from dragon_core.embedding import EmbedNodes
from dragon_core.linking import BuildLinker
from dragon_core.qa import PreparationParams, PrepareQuestions, ReadQuestions
from dragon_core.qa.preparation import QuestionPreparer, read_choices
from dragon_core.qa.question import Question
from dragon_core.qa.reuse import PreparedRows
from dragon_core.qa.schema import SPLITS
from dragon_core.qa.sources.own_files import OwnFilesParams
from dragon_core.subgraph import SubgraphParams
from tests.qa.doors import PairsGraph
from tests.qa.question_files import write_lines
from tests.training.encoders import write_encoder

Item = dict[str, Any]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> ExternalFiles:
    return ExternalFiles.of("tiny", write_encoder(tmp_path_factory.mktemp("encoder")))


def prepare(store: ArtifactStore, folder: Path, encoder: ExternalFiles, items: list[Item], **params: Any) -> Artifact:
    """Prepare questions of one's own, the same in all splits."""
    for split in SPLITS:
        write_lines(folder / f"{split}.jsonl", [one | {"id": f"{split}-{one['id']}"} for one in items])
    files = ExternalFiles.of("questions", folder)
    questions = make(ReadQuestions(source=files, params=OwnFilesParams()), store).reference
    graph = make(PairsGraph(), store).reference
    inputs: dict[str, Any] = {"graph": graph, "linker": make(BuildLinker(graph=graph), store).reference}
    if "subgraphs" not in params:
        inputs |= {"entity_table": make(EmbedNodes(graph=graph, encoder=encoder), store).reference, "encoder": encoder}
    return make(PrepareQuestions(questions=questions, **inputs, params=PreparationParams(**params)), store)


def item(number: int, key: int, answer: int = 0, doors: tuple[int, ...] = (0, 1, 2), context: str = "") -> Item:
    choices = [f"door{door}" for door in doors]
    question = f"Which one does key{key} open?"
    return {"id": f"q{number}", "question": question, "context": context, "choices": choices, "answer": answer}


def rows_of(prepared: Artifact) -> list[dict[str, Any]]:
    return read_choices(prepared, "test").to_pylist()


QUESTIONS = st.lists(
    st.builds(
        dict,
        key=st.integers(0, 4),
        answer=st.integers(0, 1),
        doors=st.sampled_from([(0, 1), (0, 1, 2), (2, 1, 0)]),
        context=st.sampled_from(["", "door3 is shut."]),
    ),
    min_size=1,
    max_size=6,
)


@given(before=QUESTIONS, after=QUESTIONS)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_set_is_prepared_as_it_would_be_anew(
    tmp_path_factory: pytest.TempPathFactory, encoder: ExternalFiles, before: list[Item], after: list[Item]
) -> None:
    folder = tmp_path_factory.mktemp("sets")
    store = ArtifactStore(str(folder / "store"))
    # Other numbers, so that a question has another name, and another place.
    old, new = ([item(shift + n, **one) for n, one in enumerate(some)] for shift, some in ((0, before), (3, after)))
    prepare(store, folder / "old", encoder, old)
    second = prepare(store, folder / "new", encoder, new)

    def asked(some: list[Item]) -> list[tuple[str, str, tuple[str, ...]]]:
        return [(one["question"], one["context"], tuple(one["choices"])) for one in some]

    known = sum(one in asked(old) for one in asked(new))
    assert second.manifest.counts["questions_prepared_before"] == known * len(SPLITS)
    # To the last byte.
    alone = prepare(ArtifactStore(str(folder / "other")), folder / "new", encoder, new)
    assert second.manifest.digest == alone.manifest.digest
    assert alone.manifest.counts["questions_prepared_before"] == 0


def test_what_was_prepared_is_not_prepared_again(
    tmp_path: Path, encoder: ExternalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    items = [item(number, number) for number in range(4)]
    prepare(store, tmp_path / "questions", encoder, items)
    asked: list[str] = []
    as_ever = QuestionPreparer.__call__

    def watched(self: QuestionPreparer, questions: list[Any]) -> Any:
        asked.extend(question.question_id for question in questions)
        return as_ever(self, questions)

    monkeypatch.setattr(QuestionPreparer, "__call__", watched)
    items[2] = item(2, 2, doors=(2, 4))
    prepare(store, tmp_path / "questions", encoder, items)
    assert asked == [f"{split}-q2" for split in SPLITS]
    asked.clear()
    # The name and the answer alone: nothing is to be prepared.
    items[0] = item(7, 0, answer=1)
    made = prepare(store, tmp_path / "questions", encoder, items)
    assert asked == []
    named = {(row["question_id"], row["answer"]) for row in rows_of(made)}
    assert named == {("test-q7", 1), ("test-q1", 0), ("test-q2", 0), ("test-q3", 0)}


def test_what_was_prepared_otherwise_or_is_damaged_is_prepared_again(
    tmp_path: Path, encoder: ExternalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    items = [item(number, number) for number in range(4)]
    first = prepare(store, tmp_path / "questions", encoder, items)
    more = [*items, item(4, 4)]
    other = ExternalFiles.of("tiny", write_encoder(tmp_path / "encoder", layers=1))
    assert prepare(store, tmp_path / "questions", other, more).manifest.counts["questions_prepared_before"] == 0
    with monkeypatch.context() as patch:
        patch.setattr(PrepareQuestions, "version", PrepareQuestions.version + 1)
        assert prepare(store, tmp_path / "questions", encoder, more).manifest.counts["questions_prepared_before"] == 0
    for params in ({"answer_edges": False}, {"subgraphs": SubgraphParams(relevance="degree")}):
        made = prepare(store, tmp_path / "questions", encoder, more, **params)
        assert made.manifest.counts["questions_prepared_before"] == 0
    # Of its size, all of them: a byte of what was asked, of a score, and of the end.
    for split, byte in zip(SPLITS, (10, -1000, -1), strict=True):
        path = first.path(f"{split}-00000.parquet")
        data = bytearray(path.read_bytes())
        data[byte] ^= 1
        path.write_bytes(data)
    assert prepare(store, tmp_path / "questions", encoder, more).manifest.counts["questions_prepared_before"] == 0


def test_what_is_gone_or_empty_has_no_rows(tmp_path: Path, encoder: ExternalFiles) -> None:
    made = prepare(ArtifactStore(str(tmp_path / "store")), tmp_path / "questions", encoder, [item(0, 0)])
    before = PreparedRows([made])
    asked = Question("other", "Which one does key0 open?", ["door0", "door1", "door2"], None)
    (rows,) = before.of([asked], [asked.choices])
    assert rows is not None
    assert rows["question_id"].to_pylist() == ["other"] * 3
    assert rows["answer"].to_pylist() == [None] * 3
    assert before.of([asked], [[""]]) == [None]
    table = pq.read_table(made.path("dev-00000.parquet"))
    for split in SPLITS:
        made.path(f"{split}-00000.parquet").unlink()
    assert before.of([asked], [asked.choices]) == [None]
    pq.write_table(table.slice(0, 0), made.path("dev-00000.parquet"))
    assert PreparedRows([made]).of([asked], [asked.choices]) == [None]


def test_questions_of_classes_and_of_a_remote_store_are_taken_over(encoder: ExternalFiles, tmp_path: Path) -> None:
    store = ArtifactStore(f"memory://{tmp_path.name}")
    items = [item(number, number) | {"choices": ["yes", "no"]} for number in range(3)]
    prepare(store, tmp_path / "questions", encoder, items, classes=("yes", "no"))
    items.append(item(3, 3) | {"choices": ["yes", "no"]})
    made = prepare(store, tmp_path / "questions", encoder, items, classes=("yes", "no"))
    assert made.manifest.counts["questions_prepared_before"] == 3 * len(SPLITS)
    assert [row["question_id"] for row in rows_of(made)] == [f"test-q{number}" for number in range(4)]
