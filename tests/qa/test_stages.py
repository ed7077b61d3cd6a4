"""Fine-tuning and the report on questions whose answer only the graph tells, and the whole way from WordNet's files."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from dragon_core.artifacts import (
    Artifact,
    ArtifactStore,
    ExternalFiles,
    make,
)
from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.qa import ArmParams, FineTune, GenerateQuestions, QuestionError, Report
from dragon_core.qa.preparation import read_choices
from dragon_core.training import UntrainedModel, UntrainedModelParams
from tests.graph.wordnet.dictionary_files import write_wordnet
from tests.qa.doors import NUM_CHOICES, SIZES


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
    assert f"`{arms['lm'].reference}`" in report


def test_too_few_held_out_definitions_are_one_clear_sentence(store: ArtifactStore, tmp_path: Path) -> None:
    source = ExternalFiles.of("WordNet", write_wordnet(tmp_path / "wordnet"))
    corpus = make(BuildCorpus(source=source, params=CorpusParams(holdout_share=0.4)), store).reference
    with pytest.raises(QuestionError, match="raise the corpus' holdout_share"):
        make(GenerateQuestions(source=source, corpus=corpus), store)


def test_questions_are_not_generated_from_other_corpora(store: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A dog barks. A cat does not.\n")
    source = ExternalFiles.of("text", tmp_path)
    corpus = make(BuildCorpus(source=source, params=CorpusParams(source="text", holdout_share=0)), store).reference
    with pytest.raises(QuestionError, match=r"was read from the source 'text'; name a question set instead"):
        make(GenerateQuestions(source=source, corpus=corpus), store)
