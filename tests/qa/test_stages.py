"""Fine-tuning and the report on questions whose answer only the graph tells, and the whole way from WordNet's files."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

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
from dragon_core.qa import ArmParams, FineTune, GenerateQuestions, PrepareQuestions, QuestionError, Report
from dragon_core.qa.preparation import read_choices
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


class PairsParams(Parameters):
    num_choices: int = NUM_CHOICES


PairsQuestions.model_rebuild()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ArtifactStore:
    torch.set_num_threads(1)
    return ArtifactStore(str(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def arms(store: ArtifactStore, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    """The questions, and what a model with and one without the graph answer."""
    encoder = ExternalFiles.of("tiny", write_encoder(tmp_path_factory.mktemp("encoder")))
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


def test_each_choice_gets_the_part_of_the_graph_it_shares_with_the_question(arms: dict[str, Artifact]) -> None:
    rows = read_choices(arms["prepared"], "train").to_pylist()
    assert len(rows) == SIZES["train"] * NUM_CHOICES
    for number, row in enumerate(rows):
        assert sorted(row["node_type"]) == [0, 1]
        assert len(row["head"]) == (number % NUM_CHOICES == row["answer"])


def test_only_a_model_that_reads_the_graph_learns_what_only_the_graph_tells(arms: dict[str, Artifact]) -> None:
    accuracy = {
        arm: json.loads(arms[arm].path("metrics.json").read_text())["test_accuracy"] for arm in ("dragon", "lm")
    }
    assert accuracy["dragon"] > 0.9
    assert accuracy["lm"] < 0.6


def test_a_language_model_learns_from_the_graph_told_as_sentences(
    store: ArtifactStore, arms: dict[str, Artifact]
) -> None:
    start = {name: arms["dragon"].manifest.origin(name) for name in ("graph", "entity_table")}
    record = store.get(arms["dragon"].manifest.origin("checkpoint")).manifest.inputs["encoder"]
    encoder = ExternalFiles.of("tiny", Path(record.path or ""))
    built = UntrainedModelParams(num_fusion_layers=-1, graph_as_text=True)
    checkpoint = make(UntrainedModel(**start, encoder=encoder, params=built), store).reference

    def accuracy(use_graph: bool) -> float:
        params = ArmParams(
            epochs=12, patience=12, encoder_learning_rate=3e-3, new_learning_rate=3e-3, use_graph=use_graph
        )
        prepared = arms["prepared"].reference
        made = make(FineTune(questions=prepared, **start, checkpoint=checkpoint, params=params), store)
        return float(json.loads(made.path("metrics.json").read_text())["test_accuracy"])

    assert accuracy(use_graph=True) > accuracy(use_graph=False) + 0.2


def test_predictions_are_probabilities_of_every_test_question(arms: dict[str, Artifact]) -> None:
    rows = pq.read_table(arms["dragon"].path("predictions.parquet")).to_pylist()
    assert [row["question_id"] for row in rows] == [f"test{i}" for i in range(SIZES["test"])]
    for row in rows:
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-4)
        assert row["predicted"] == int(np.argmax(row["probabilities"]))


def test_the_report_compares_what_was_fine_tuned(store: ArtifactStore, arms: dict[str, Artifact]) -> None:
    runs = {arm: (arms[arm].reference,) for arm in ("dragon", "lm")}
    evaluation = make(Report(questions=arms["prepared"].reference, arms=runs), store)
    metrics = json.loads(evaluation.path("metrics.json").read_text())
    assert metrics["questions"] == SIZES["test"]
    assert metrics["chance"] == pytest.approx(1 / NUM_CHOICES)
    for arm in runs:
        of_run = json.loads(arms[arm].path("metrics.json").read_text())
        assert metrics["arms"][arm]["accuracy"] == pytest.approx(of_run["test_accuracy"])
    report = evaluation.path("report.md").read_text()
    assert "DRAGON is better than the language model alone" in report
    assert "`use_graph: false`" in report


def test_too_few_held_out_definitions_are_one_clear_sentence(store: ArtifactStore, tmp_path: Path) -> None:
    from dragon_core.corpus import BuildCorpus, CorpusParams
    from dragon_core.graph.stage import BuildGraph
    from tests.graph.wordnet.dictionary_files import write_wordnet

    source = ExternalFiles.of("WordNet", write_wordnet(tmp_path / "wordnet"))
    graph = make(BuildGraph(source=source), store).reference
    corpus = make(BuildCorpus(source=source, params=CorpusParams(holdout_share=0.4)), store).reference
    with pytest.raises(QuestionError, match="raise the corpus' holdout_share"):
        make(GenerateQuestions(source=source, corpus=corpus, graph=graph), store)
