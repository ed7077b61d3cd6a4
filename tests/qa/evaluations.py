"""Prepared questions and runs on them, made without a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dragon_core.artifacts import (
    Artifact,
    ArtifactReference,
    ArtifactStore,
    Draft,
    Inputs,
    Parameters,
    Progress,
    Stage,
    make,
)
from dragon_core.qa.schema import PREDICTIONS, choices_schema
from dragon_core.subgraph import NodeType

LINKED, ANSWER, OTHER = NodeType.LINKED, NodeType.ANSWER, NodeType.OTHER
SCHEMA = choices_schema(max_nodes=200, num_relations=10)
NO_GRAPH: dict[str, list[Any]] = {
    name: [] for name in ("node_id", "node_type", "node_score", "head", "relation", "tail")
}


def graph(types: dict[int, NodeType], edges: list[tuple[int, int]]) -> dict[str, Any]:
    """The columns of a subgraph: types by id of the node, edges between ids."""
    ids = list(types)
    return {
        "node_id": ids,
        "node_type": [int(kind) for kind in types.values()],
        "node_score": [1.0] * len(ids),
        "head": [ids.index(head) for head, _ in edges],
        "relation": [0] * len(edges),
        "tail": [ids.index(tail) for _, tail in edges],
    }


def choices(
    name: str,
    question: str = "what is it",
    answer: int | None = 0,
    graphs: tuple[dict[str, Any], ...] = (NO_GRAPH,) * 2,
) -> list[dict[str, Any]]:
    """The rows of one question, one a subgraph."""
    own = {"question_id": name, "question": question, "context": "", "answer": answer}
    return [own | {"text": f"choice {position}"} | of_choice for position, of_choice in enumerate(graphs)]


class RowsParams(Parameters):
    rows: list[dict[str, Any]]


class Prepared(Stage):
    """Prepared questions as given."""

    name = "prepared-questions"
    version = 1
    params: RowsParams

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        draft.write_table("test-00000.parquet", pa.Table.from_pylist(self.params.rows, schema=SCHEMA))


class AnswersParams(Parameters):
    predicted: tuple[int, ...]
    num_choices: int = 2
    dev_accuracies: tuple[float, ...] = (0.5, 0.6, 0.4)


class Answers(Stage):
    """What a model answers; stands for the checkpoint that is fine-tuned."""

    name = "answers"
    version = 1
    params: AnswersParams


class AnsweredParams(Parameters):
    seed: int = 0
    epochs: int = 3
    batch_size: int = 8


class Answered(Stage):
    """A fine-tuned model that answers as given."""

    name = "finetuned"
    version = 1
    questions: ArtifactReference
    answers: ArtifactReference
    params: AnsweredParams

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        given = AnswersParams(**inputs.answers.manifest.params)
        table = pq.read_table(inputs.questions.path("test-00000.parquet"), columns=["question_id", "answer"])
        right = {row["question_id"]: row["answer"] for row in table.to_pylist()}
        probabilities = [1 / given.num_choices] * given.num_choices
        rows = [
            {"question_id": name, "answer": answer, "predicted": predicted, "probabilities": probabilities}
            for (name, answer), predicted in zip(right.items(), given.predicted, strict=True)
        ]
        draft.write_table("predictions.parquet", pa.Table.from_pylist(rows, schema=PREDICTIONS))
        epochs = [{"loss": 1.0, "dev_accuracy": accuracy} for accuracy in given.dev_accuracies]
        draft.write_json("metrics.json", {"test_accuracy": 0.0, "epochs": epochs})


@dataclass(frozen=True)
class Evaluated:
    """Questions in a store, and runs on them."""

    store: ArtifactStore
    questions: Artifact

    @classmethod
    def of(cls, store: ArtifactStore, rows: list[dict[str, Any]]) -> "Evaluated":
        """Prepare the questions with these rows."""
        return cls(store, make(Prepared(params=RowsParams(rows=rows)), store))

    def run(
        self,
        predicted: Sequence[int],
        seed: int = 0,
        epochs: int = 3,
        num_choices: int = 2,
        dev_accuracies: Sequence[float] = (0.5, 0.6, 0.4),
    ) -> ArtifactReference:
        """A run that answers so."""
        given = AnswersParams(predicted=tuple(predicted), num_choices=num_choices, dev_accuracies=tuple(dev_accuracies))
        answers = make(Answers(params=given), self.store).reference
        params = AnsweredParams(seed=seed, epochs=epochs)
        stage = Answered(questions=self.questions.reference, answers=answers, params=params)
        return make(stage, self.store).reference
