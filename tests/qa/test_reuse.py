"""Questions that were prepared before are not prepared again, and are what they would be otherwise."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragon_core.artifacts import Artifact, ArtifactStore, ExternalFiles, make
from dragon_core.embedding import EmbedNodes
from dragon_core.linking import BuildLinker
from dragon_core.qa import PreparationParams, PrepareQuestions, ReadQuestions
from dragon_core.qa.preparation import QuestionPreparer, read_choices
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
    first = prepare(store, folder / "old", encoder, old)
    second = prepare(store, folder / "new", encoder, new)

    def asked(some: list[Item]) -> list[tuple[str, str, tuple[str, ...]]]:
        return [(one["question"], one["context"], tuple(one["choices"])) for one in some]

    is_same = first.reference == second.reference
    known = 0 if is_same else sum(one in asked(old) for one in asked(new))
    assert second.manifest.counts["questions_prepared_before"] == known * len(SPLITS)
    alone = prepare(ArtifactStore(str(folder / "other")), folder / "new", encoder, new)
    for found, expected in zip(rows_of(second), rows_of(alone), strict=True):
        # A language model's vectors differ in the last digits by what else is in the batch.
        np.testing.assert_allclose(found.pop("node_score"), expected.pop("node_score"), rtol=1e-4, atol=1e-5)
        assert found == expected


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


def test_what_was_prepared_otherwise_or_is_damaged_is_prepared_again(tmp_path: Path, encoder: ExternalFiles) -> None:
    store = ArtifactStore(str(tmp_path / "store"))
    items = [item(number, number) for number in range(4)]
    first = prepare(store, tmp_path / "questions", encoder, items)
    more = [*items, item(4, 4)]
    for params in ({"answer_edges": False}, {"subgraphs": SubgraphParams(relevance="degree")}):
        made = prepare(store, tmp_path / "questions", encoder, more, **params)
        assert made.manifest.counts["questions_prepared_before"] == 0
    damaged = first.path("dev-00000.parquet")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    for split in ("train", "test"):
        first.path(f"{split}-00000.parquet").unlink()
    assert prepare(store, tmp_path / "questions", encoder, more).manifest.counts["questions_prepared_before"] == 0
