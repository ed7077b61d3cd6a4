"""What question answering is measured on, and how its results become tables."""

import json
import re
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import answer_data, answer_groups, answers
from benchmarks.answer_data import QUESTION_SETS, questions_of, write_texts
from benchmarks.answer_groups import hits_by_arm
from benchmarks.answer_table import (
    FIRST_TOKEN_RESULTS,
    GRAPH_RATE_RESULTS,
    LEARNING_ENCODER_RESULTS,
    RESULTS,
    answers_table,
    groups_table,
    hits_of,
    read_groups,
    read_rows,
    read_signal,
    read_text_vectors,
    signal_table,
    text_vectors_table,
)
from benchmarks.answers import ARMS
from dragon_core.artifacts import ArtifactReference, ArtifactStore
from dragon_core.errors import DragonError
from tests.answer_files import write_shared_data
from tests.graph.wordnet.dictionary import write_dictionary
from tests.shared_data import SHARED_DATA
from tests.training.encoders import write_encoder


def words_of(text: str) -> str:
    return f" {' '.join(re.findall('[a-z0-9]+', text.lower()))} "


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="the data sets are not there; set DRAGON_SHARED_DATA")
def test_no_question_of_dev_or_test_and_no_answer_is_pretrained_on(tmp_path: Path) -> None:
    try:
        write_texts(tmp_path)
    except DragonError as error:
        pytest.skip(str(error))
    texts = {
        path.stem: [words_of(json.loads(line)["text"]) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in tmp_path.glob("*.jsonl")
    }
    together = "\n".join(text for of_file in texts.values() for text in of_file)
    for name in QUESTION_SETS:
        # The stems, nearly all of them, and nothing beside them.
        trained = {words_of(question.question) for question in questions_of(name, "train")}
        assert set(texts[name]) < trained
        assert len(set(texts[name])) > 0.98 * len(trained)
        for split in ("dev", "test"):
            for question in questions_of(name, split):
                stem = words_of(question.question)
                assert stem not in texts[name]
                # Shorter ones are phrases of every day.
                if len(stem.split()) >= 4:
                    assert stem not in together, question


def row(arm: str, seed: int, hits: list[bool], questions: str = "arc", answer_edges: bool = True) -> dict[str, object]:
    bits = np.packbits(np.array(hits)).tobytes().hex()
    return {
        "questions": questions,
        "share": 0.1,
        "arm": arm,
        "seed": seed,
        "answer_edges": answer_edges,
        "hits": bits,
        "questions_asked": len(hits),
        "finetuned": f"finetuned/{arm}{seed}",
        "version": 1,
        "checkpoint": f"checkpoint/{arm}",
        "prepared": f"prepared-questions/{questions}",
    }


def test_hits_are_kept_as_bits() -> None:
    hits = [True, False, True, True, False, False, True, False, True, True]
    assert hits_of(row("lm", 0, hits)).tolist() == hits


def test_the_last_measurement_of_a_cell_counts() -> None:
    half, all_ = [True, False] * 20, [True] * 40
    rows = [row("dragon", 0, half), row("dragon", 0, all_), row("dragon", 1, half), row("lm", 0, half)]
    table = answers_table(rows)
    assert "### With 10% of the training questions" in table
    assert "| DRAGON | 75.0 ± 35.4 (2) |" in table
    assert "| the language model alone | 50.0 (1) |" in table
    assert re.search(r"\| the language model alone \| \+25\.0 \(\+0\.0 to \+\d+\.\d\) \| \+25\.0", table)


@pytest.mark.parametrize("old", [{"checkpoint": "checkpoint/before"}, {"version": 0}])
def test_seeds_of_an_arm_that_were_made_otherwise_than_its_last_one_do_not_count(old: dict[str, Any]) -> None:
    rows = [
        *(row("dragon", seed, [False, False]) | old for seed in (0, 1)),
        *(row("lm", seed, [False, True]) for seed in (0, 1)),
        row("dragon", 0, [True, True]),
    ]
    table = answers_table(rows)
    assert "| DRAGON | 100.0 (1) |" in table
    assert "| the language model alone | 50.0 ± 0.0 (2) |" in table


def test_ablations_are_lines_below_the_arms() -> None:
    rows = [row(arm, 0, [True, arm == "dragon"]) for arm in ("interaction: none", "dragon", "decoder: TransE", "lm")]
    accuracies, leads = answers_table(rows).split("\n\n")[1:]
    names = [line.split(" | ")[0] for line in accuracies.splitlines()[2:]]
    assert names == ["| DRAGON", "| the language model alone", "| decoder: TransE", "| interaction: none"]
    assert [line.split(" | ")[0] for line in leads.splitlines()[2:]] == names[1:]


def test_cells_without_the_edges_to_answers_have_a_table_of_their_own() -> None:
    hits = [True, False]
    with_edges, without = answers_table(
        [row("dragon", 0, hits), row("dragon", 0, [False, False], answer_edges=False)]
    ).split("### ")[1:]
    assert with_edges.startswith("With 10% of the training questions\n")
    assert "| DRAGON | 50.0 (1) |" in with_edges
    assert without.startswith("With 10% of the training questions, and no edge between question and choice\n")
    assert "| DRAGON | 0.0 (1) |" in without


def test_groups_are_of_all_seeds_of_the_arms_on_the_same_questions() -> None:
    rows = [
        row("lm", 1, [True, False]),
        row("dragon", 0, [False, True]),
        row("lm", 0, [False, False]),
        row("interaction: none", 0, [True, True]),
        row("lm", 0, [True, True]) | {"share": 1.0},
        row("lm", 0, [True, True], questions="riddlesense"),
    ]
    found = hits_by_arm(rows, 0.1, ArtifactReference.parse("prepared-questions/arc"))
    assert list(found) == ["dragon", "lm"]
    assert found["dragon"].tolist() == [[False, True]]
    assert sorted(found["lm"].tolist()) == [[False, False], [True, False]]


def test_cells_are_measured_once_and_grouped_without_their_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shared_data(tmp_path / "data")
    monkeypatch.setenv("WORDNET_DIR", str(write_dictionary(tmp_path / "dictionary")))
    monkeypatch.setattr(answer_data, "SHARED_DATA", tmp_path / "data")
    monkeypatch.setattr(answer_data, "ENCODER", str(write_encoder(tmp_path / "encoder", positions=512)))
    few = {"steps": 2, "warmup_steps": 1, "batch_size": 4, "num_fusion_layers": 1, "node_size": 16}
    monkeypatch.setattr(answer_data, "TRAINING", answer_data.TRAINING.model_copy(update=few))
    monkeypatch.setattr(answers, "LEARNING_ENCODER", {"encoder_learning_rate": 1e-3})
    monkeypatch.setattr(answers, "TRAIN_SIZES", {"openbookqa": 60, "commonsenseqa": 60})
    settings = answers.FINE_TUNING.model_copy(update={"epochs": 1, "dev_examples": 4})
    monkeypatch.setattr(answers, "FINE_TUNING", settings)
    results = tmp_path / "answers.jsonl"
    results.touch()
    monkeypatch.setattr(answers, "RESULTS", results)
    for module in (answers, answer_groups):
        monkeypatch.setattr(module, "read_rows", partial(read_rows, results))
    store = ArtifactStore(str(tmp_path / "store"))
    arms = ["dragon", "lm", "lm-mlm", "graph: as sentences"]
    command = ["answers", "--arms", *arms, "--seeds", "1", "--sets", "openbookqa", "--store", store.url]

    monkeypatch.setattr(sys, "argv", command)
    answers.main()
    rows = read_rows(results)
    assert {row["arm"] for row in rows} == set(arms)
    assert len({row["checkpoint"] for row in rows}) == len(arms)
    assert {row["questions_asked"] for row in rows} == {12}
    # What was measured is not measured again, even where its models are gone.
    shutil.rmtree(tmp_path / "store")
    answers.main()
    assert read_rows(results) == rows
    assert not list(store.artifacts("finetuned"))

    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["answer_groups", "--store", store.url])
    monkeypatch.setattr(answer_groups, "QUESTION_SETS", {"openbookqa": QUESTION_SETS["openbookqa"]})
    answer_groups.main()
    first = capsys.readouterr().out.splitlines()
    groups = [json.loads(line) for line in first if "group" in json.loads(line)]
    assert {group["prepared"] for group in groups} == {rows[0]["prepared"]}
    assert all(set(group["accuracy"]) == {"dragon", "lm", "lm-mlm"} for group in groups)
    for stage in set(store.stages()) - {"prepared-questions"}:
        shutil.rmtree(tmp_path / "store" / stage)
    answer_groups.main()
    assert capsys.readouterr().out.splitlines() == first
    assert store.stages() == ["prepared-questions"]


def test_the_documented_tables_are_those_of_the_results() -> None:
    results = (Path(__file__).parents[1] / "docs/results.md").read_text(encoding="utf-8")
    designs = (RESULTS, GRAPH_RATE_RESULTS, LEARNING_ENCODER_RESULTS, FIRST_TOKEN_RESULTS)
    rows, *before = map(read_rows, designs)
    signal, groups, vectors = read_signal(), read_groups(), read_text_vectors()
    assert all((rows, *before, signal, groups, vectors))
    assert answers_table(rows) in results
    assert all(answers_table(of_design) in results for of_design in before)
    assert signal_table(signal) in results
    assert groups_table(groups) in results
    assert text_vectors_table(vectors) in results
    # Groups are of the cells that are there, but ablations.
    assert {row["set"]: set(row["accuracy"]) for row in groups} == {
        name: {row["arm"] for row in rows if row["questions"] == name} & set(ARMS) for name in QUESTION_SETS
    }
