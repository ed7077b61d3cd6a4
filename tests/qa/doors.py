"""Questions whose answer only a graph tells: which door does a key open? And models that were fine-tuned on them."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from dragon_core.artifacts import (
    Artifact,
    ArtifactReference,
    ArtifactStore,
    Draft,
    ExternalFiles,
    Inputs,
    Parameters,
    Progress,
    Stage,
    make,
)
from dragon_core.embedding import EmbedNodes
from dragon_core.graph import Relation, write_graph
from dragon_core.linking import BuildLinker
from dragon_core.qa import ArmParams, FineTune, PrepareQuestions
from dragon_core.qa.schema import QUESTIONS, SPLITS, split_name
from dragon_core.training import UntrainedModel, UntrainedModelParams
from tests.graph.graphs import tables_of
from tests.training.encoders import write_encoder

PAIRS = 120
SIZES = {"train": 80, "dev": 20, "test": 40}
NUM_CHOICES = 3


class PairsGraph(Stage):
    """Each key is related to one door."""

    name = "graph"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        names = [f"{kind}{i}" for kind in ("key", "door") for i in range(PAIRS)]
        triples = [(i, 0, PAIRS + i) for i in range(PAIRS)]
        write_graph(draft, tables_of(names, [Relation("opens", "{head} opens {tail}")], triples))


class PairsQuestions(Stage):
    """Which door does this key open? Each key is asked about once."""

    name = "questions"
    version = 1
    graph: ArtifactReference
    params: "PairsParams"

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        random = np.random.default_rng(0)
        keys = iter(random.permutation(PAIRS * 2))
        for split in SPLITS:
            rows = []
            for number in range(SIZES[split]):
                key = int(next(keys)) % PAIRS
                doors = [key, *random.choice(np.delete(np.arange(PAIRS), key), NUM_CHOICES - 1, replace=False).tolist()]
                random.shuffle(doors)
                question = {"question_id": f"{split}{number}", "question": f"key{key}", "context": ""}
                rows.append(question | {"choices": [f"door{door}" for door in doors], "answer": doors.index(key)})
            draft.write_table(split_name(split), pa.Table.from_pylist(rows, schema=QUESTIONS))


class Classes(Stage):
    """Does this key open this door? Yes or no."""

    name = "questions"
    version = 2
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        for number, split in enumerate(SPLITS):
            rows = []
            for key in range(PAIRS // 2):
                door = key + 7 * ((key + number) % 2)
                question = f"Does key{key} open door{door}?"
                row = {"question_id": f"{split}{key}", "question": question, "context": "", "choices": ["yes", "no"]}
                rows.append(row | {"answer": int(door != key)})
            draft.write_table(split_name(split), pa.Table.from_pylist(rows, schema=QUESTIONS))


class PairsParams(Parameters):
    num_choices: int = NUM_CHOICES


PairsQuestions.model_rebuild()


def fine_tuned_arms(store: ArtifactStore, folder: Path) -> dict[str, Artifact]:
    """The questions, and a model with and one without the graph, both fine-tuned.

    Args:
        store: Takes the artifacts.
        folder: Empty; takes the language model.
    """
    encoder = ExternalFiles.of("tiny", write_encoder(folder))
    graph = make(PairsGraph(), store).reference
    questions = make(PairsQuestions(graph=graph, params=PairsParams()), store)
    linker = make(BuildLinker(graph=graph), store).reference
    entities = make(EmbedNodes(graph=graph, encoder=encoder), store).reference
    inputs = {"graph": graph, "linker": linker, "entity_table": entities, "encoder": encoder}
    prepared = make(PrepareQuestions(questions=questions.reference, **inputs), store)

    start = {"graph": graph, "entity_table": entities}

    def arm(use_graph: bool) -> Artifact:
        built = UntrainedModelParams(node_size=16, num_fusion_layers=2 if use_graph else -1)
        checkpoint = make(UntrainedModel(**start, encoder=encoder, params=built), store).reference
        params = ArmParams(epochs=8, patience=8, new_learning_rate=3e-3)
        return make(FineTune(questions=prepared.reference, **start, checkpoint=checkpoint, params=params), store)

    return {"questions": questions, "prepared": prepared, "dragon": arm(True), "lm": arm(False)}
