"""The stage that gives every choice of a question its subgraph."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import model_validator

from dragon_core.artifacts import Artifact, ArtifactReference, ExternalFiles, Inputs, Shard, Stage
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking import open_linker
from dragon_core.qa.preparer import PreparationParams, QuestionPreparer
from dragon_core.qa.question import Question
from dragon_core.qa.reuse import PreparedRows, prepared_alike
from dragon_core.qa.schema import SPLITS, split_name
from dragon_core.subgraph import (
    NodeType,
    check_encoder,
    check_inputs,
    check_origins,
)

QUESTIONS_OF_A_BATCH = 256
QUESTIONS_OF_A_SHARD = 1024


class PrepareQuestions(Stage):
    """Links question and choices, and extracts a subgraph a choice: the code that prepares the corpus does both."""

    name: ClassVar[str] = "prepared-questions"
    version: ClassVar[int] = 6

    questions: ArtifactReference
    graph: ArtifactReference
    linker: ArtifactReference
    entity_table: ArtifactReference | None = None
    encoder: ExternalFiles | None = None
    params: PreparationParams = PreparationParams()

    @model_validator(mode="after")
    def _check_inputs(self) -> Self:
        params = self.params.subgraphs
        needed = {
            "entity_table": params.compares_vectors,
            "encoder": params.compares_vectors or params.scores_texts,
        }
        check_inputs(params, needed, entity_table=self.entity_table, encoder=self.encoder)
        return self

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """Shards of the splits."""
        counts = {split: pq.read_metadata(inputs.questions.path(split_name(split))).num_rows for split in SPLITS}
        return [
            f"{split}-{start // QUESTIONS_OF_A_SHARD:05}.parquet"
            for split, count in counts.items()
            # Of a split without a question there is an empty shard.
            for start in range(0, max(count, 1), QUESTIONS_OF_A_SHARD)
        ]

    def make_shards(self, inputs: Inputs, shards: Iterable[Shard]) -> None:
        """Prepare shard by shard.

        Raises:
            SubgraphError: The linker or the entity table is of another graph, or the table of another encoder.
            QuestionError: A question's choices are not the classes.
        """
        self._check_origins(inputs)
        preparer = self.open(inputs)
        before = PreparedRows(prepared_alike(self, inputs.store))
        read = lru_cache(1)(lambda split: pq.read_table(inputs.questions.path(split_name(split))))
        for shard in shards:
            split, number = shard.name.removesuffix(".parquet").split("-")
            rows = read(split).slice(int(number) * QUESTIONS_OF_A_SHARD, QUESTIONS_OF_A_SHARD).to_pylist()
            questions = [Question(**row) for row in rows]
            shard.write_batches(shard.name, preparer.schema, _batches(preparer, before, questions, shard))

    def open(self, inputs: Inputs) -> QuestionPreparer:
        """What prepares questions as this stage does."""
        return QuestionPreparer(
            KnowledgeGraph.open(inputs.graph.folder),
            open_linker(inputs.linker),
            self.params,
            inputs.entity_table.folder if self.entity_table else None,
            self.encoder.root if self.encoder else None,
        )

    def _check_origins(self, inputs: Inputs) -> None:
        expected = [(inputs.linker, "graph", self.graph)]
        if self.entity_table:
            expected.append((inputs.entity_table, "graph", self.graph))
        check_origins(expected)
        if self.entity_table and self.encoder:
            check_encoder(inputs.entity_table, self.encoder.digest)


def read_choices(prepared: Artifact, split: str) -> pa.Table:
    """All rows of a split of prepared questions (`schema.choices_schema`)."""
    names = sorted(file.name for file in prepared.manifest.files if file.name.startswith(f"{split}-"))
    # As one chunk, since rows are taken out of it batch by batch.
    return pa.concat_tables(pq.read_table(prepared.path(name)) for name in names).combine_chunks()


def _batches(
    preparer: QuestionPreparer, before: PreparedRows, questions: Sequence[Question], shard: Shard
) -> Iterator[pa.RecordBatch]:
    known = before.of(questions, [preparer.texts(question) for question in questions])
    for start in range(0, len(questions), QUESTIONS_OF_A_BATCH):
        chosen = slice(start, start + QUESTIONS_OF_A_BATCH)
        rows = [
            # Alone: what a language model computes depends in its last digits on what else is in the batch.
            pa.Table.from_batches([preparer([question])]) if found is None else found
            for question, found in zip(questions[chosen], known[chosen], strict=True)
        ]
        (batch,) = pa.concat_tables(rows).combine_chunks().to_batches()
        nodes = pc.list_flatten(batch["node_type"])
        of_row = np.asarray(pc.list_parent_indices(batch["node_type"]))
        num_linked = len(np.unique(of_row[np.asarray(nodes) == NodeType.ANSWER]))
        shard.count(
            questions=len(rows),
            questions_prepared_before=sum(found is not None for found in known[chosen]),
            choices=len(batch),
            nodes=len(nodes),
            choices_not_linked=len(batch) - num_linked,
        )
        yield batch
