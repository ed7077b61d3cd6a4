"""Fine-tuning: hidden tests, few questions, any number of choices, classes, and a run that is killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from transformers import AutoTokenizer

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
from dragon_core.graph import KnowledgeGraph
from dragon_core.qa import (
    ArmParams,
    FineTune,
    PreparationParams,
    PrepareQuestions,
    QuestionError,
    ReadQuestions,
)
from dragon_core.qa.dataset import PreparedQuestions
from dragon_core.qa.finetuning import drawn
from dragon_core.qa.models import new_collator, open_model
from dragon_core.qa.preparation import read_choices
from dragon_core.qa.preparer import without_edges_between
from dragon_core.qa.question import Question
from dragon_core.qa.schema import SPLITS, split_name
from dragon_core.qa.sources.labelled_choices import CommonsenseQAParams
from dragon_core.qa.tuning import FineTuner
from dragon_core.subgraph import SubgraphBatch
from dragon_core.training.checkpoints import Checkpoints
from tests.devices import on_a_cpu
from tests.qa.doors import SIZES, Classes

REPOSITORY = Path(__file__).parents[2]


def preparing(like: Artifact, questions: Artifact, **params: Any) -> PrepareQuestions:
    """The stage that prepares questions as others are."""
    inputs = {role: like.manifest.origin(role) for role in ("graph", "linker", "entity_table")}
    record = like.manifest.inputs["encoder"]
    encoder = ExternalFiles(name="tiny", path=str(record.path), digest=record.digest)
    return PrepareQuestions(
        questions=questions.reference, **inputs, encoder=encoder, params=PreparationParams(**params)
    )


def prepared(store: ArtifactStore, like: Artifact, questions: Artifact, **params: Any) -> Artifact:
    """Questions prepared as others are."""
    return make(preparing(like, questions, **params), store)


def fine_tune(arm: Artifact, questions: Artifact, **params: Any) -> FineTune:
    """The stage that fine-tunes on other questions what an arm was fine-tuned from."""
    start = {role: arm.manifest.origin(role) for role in ("graph", "entity_table", "checkpoint")}
    return FineTune(questions=questions.reference, **start, params=ArmParams(**({"epochs": 1} | params)))


def write_commonsenseqa(folder: Path) -> ExternalFiles:
    """Write questions of five choices, longer and longer; those of test have no answer."""
    names = {"train": "train_rand_split", "dev": "dev_rand_split", "test": "test_rand_split_no_answers"}
    for split, name in names.items():
        lines = []
        for number in range(6):
            choices = [{"label": label, "text": f"door{number + place}"} for place, label in enumerate("ABCDE")]
            question = {"stem": " ".join([f"key{number}"] * (2 * number + 1)), "choices": choices}
            item: dict[str, Any] = {"id": f"{split}-{number}", "question": question}
            lines.append(json.dumps(item if split == "test" else item | {"answerKey": "A"}) + "\n")
        (folder / f"{name}.jsonl").write_text("".join(lines))
    return ExternalFiles.of("commonsenseqa", folder)


def test_of_a_hidden_test_there_is_what_the_leaderboard_takes(
    store: ArtifactStore, arms: dict[str, Artifact], tmp_path: Path
) -> None:
    params = CommonsenseQAParams(split="official")
    questions = make(ReadQuestions(source=write_commonsenseqa(tmp_path), params=params), store)
    made = make(fine_tune(arms["dragon"], prepared(store, arms["prepared"], questions)), store)
    assert json.loads(made.path("metrics.json").read_text())["test_accuracy"] is None
    predictions = pq.read_table(made.path("predictions.parquet"))
    assert predictions["answer"].null_count == len(predictions) == 6
    assert [len(row) for row in predictions["probabilities"].to_pylist()] == [5] * 6
    for row in predictions["probabilities"].to_pylist():
        assert sum(row) == pytest.approx(1, abs=1e-5)
    lines = made.path("predictions.csv").read_text().splitlines()
    expected = [f"test-{i},{'ABCDE'[place]}" for i, place in enumerate(predictions["predicted"].to_pylist())]
    assert lines == expected


def test_fewer_questions_than_are_asked_for_are_one_sentence(
    store: ArtifactStore, arms: dict[str, Artifact], tmp_path: Path
) -> None:
    files = write_commonsenseqa(tmp_path)
    (tmp_path / "inhouse_split_qids.txt").write_text("train-0\ntrain-1\n")
    questions = make(ReadQuestions(source=files, params=CommonsenseQAParams()), store)
    stage = fine_tune(arms["lm"], prepared(store, arms["prepared"], questions), train_examples=3)
    with pytest.raises(QuestionError, match="train_examples is 3, but there are 2 questions"):
        make(stage, store)


def test_texts_that_are_longer_than_what_is_read_are_counted(
    store: ArtifactStore, arms: dict[str, Artifact], tmp_path: Path
) -> None:
    params = CommonsenseQAParams(split="official")
    questions = make(ReadQuestions(source=write_commonsenseqa(tmp_path), params=params), store)
    asked = prepared(store, arms["prepared"], questions)
    made = make(fine_tune(arms["lm"], asked, max_length=8), store)
    tokenizer = AutoTokenizer.from_pretrained(made.folder)
    rows = [row for split in SPLITS for row in read_choices(asked, split).to_pylist()]
    lengths = [len(tokenizer(row["question"], row["text"])["input_ids"]) for row in rows]
    assert 0 < sum(length > 8 for length in lengths) == made.manifest.counts["cut_texts"] < len(rows)


def test_more_tokens_than_the_language_model_reads_are_refused(store: ArtifactStore, arms: dict[str, Artifact]) -> None:
    with pytest.raises(QuestionError, match="max_length is 65, and the language model reads 64 tokens at most"):
        make(fine_tune(arms["lm"], arms["prepared"], max_length=65), store)


class HiddenDev(Stage):
    """The questions of others, whose answers in dev are not known."""

    name = "questions"
    version = 3
    questions: ArtifactReference
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        for split in SPLITS:
            table = pq.read_table(inputs.questions.path(split_name(split)))
            if split == "dev":
                table = table.set_column(
                    table.schema.get_field_index("answer"), "answer", pa.nulls(len(table), pa.int8())
                )
            draft.write_table(split_name(split), table)


def test_the_best_epoch_is_not_chosen_on_questions_without_answers(
    store: ArtifactStore, arms: dict[str, Artifact]
) -> None:
    questions = make(HiddenDev(questions=arms["questions"].reference), store)
    with pytest.raises(QuestionError, match="takes questions with answers, but question dev0 has no answer"):
        make(fine_tune(arms["lm"], prepared(store, arms["prepared"], questions)), store)


def test_classes_are_told_apart_by_one_reading_of_a_question(store: ArtifactStore, arms: dict[str, Artifact]) -> None:
    questions = make(Classes(), store)
    rows = prepared(store, arms["prepared"], questions, classes=("yes", "no"))
    assert len(read_choices(rows, "test")) == questions_in(questions, "test")
    made = make(fine_tune(arms["dragon"], rows), store)
    config = json.loads(made.path("config.json").read_text())
    assert config["architectures"] == ["DragonForSequenceClassification"]
    probabilities = pq.read_table(made.path("predictions.parquet"))["probabilities"].to_pylist()
    assert {len(row) for row in probabilities} == {2}
    with pytest.raises(QuestionError, match="has the choices yes, no, not the classes yes, no, maybe"):
        prepared(store, arms["prepared"], questions, classes=("yes", "no", "maybe"))


def test_the_edges_that_tell_the_answer_can_be_left_out(store: ArtifactStore, arms: dict[str, Artifact]) -> None:
    rows = {
        kept: read_choices(prepared(store, arms["prepared"], arms["questions"], answer_edges=kept), "test").to_pylist()
        for kept in (True, False)
    }
    assert sum(len(row["head"]) for row in rows[True]) == SIZES["test"]
    for row, bare in zip(rows[True], rows[False], strict=True):
        assert bare == row | {"head": [], "relation": [], "tail": []}


def test_an_edge_to_what_question_and_choice_both_name_is_left_out_too(
    store: ArtifactStore, arms: dict[str, Artifact]
) -> None:
    asked = Question("1", "key7 fits door7", ["door7", "door8 or key8"], 0, "", [])
    edges = {}
    for kept in (True, False):
        stage = preparing(arms["prepared"], arms["questions"], answer_edges=kept)
        edges[kept] = [len(heads) for heads in stage.open(store.inputs(stage))([asked])["head"].to_pylist()]
    # In the second row one edge joins two nodes of the choice, and one two of the question, of which one is another
    # choice's.
    assert edges == {True: [1, 2], False: [0, 1]}


def test_logits_that_are_no_numbers_are_one_sentence(
    store: ArtifactStore, arms: dict[str, Artifact], tmp_path: Path
) -> None:
    model = open_model(arms["lm"].folder, (), store.get(arms["lm"].manifest.origin("entity_table")))
    tokenizer = AutoTokenizer.from_pretrained(arms["lm"].folder)
    graph = KnowledgeGraph.open(store.get(arms["lm"].manifest.origin("graph")).folder)
    dev = new_collator(PreparedQuestions.of(read_choices(arms["prepared"], "dev")), model, tokenizer, graph, 32)
    tuner = FineTuner(model, ArmParams(), 0, dev, dev, Checkpoints(tmp_path, "", kept=1), False)
    assert len(tuner.logits(dev)) == SIZES["dev"]
    torch.nn.init.constant_(model.dragon.backbone.embeddings.LayerNorm.bias, float("nan"))
    with pytest.raises(QuestionError, match=r"The logits of question dev\d+ are no numbers; lower the rates"):
        tuner.logits(dev)


def test_a_language_model_that_would_learn_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="encoder_frozen_epochs is 4 of 4 epochs"):
        ArmParams(encoder_frozen_epochs=4)


@given(st.integers(0, 2**32 - 1))
def test_only_edges_between_the_nodes_given_are_left_out(seed: int) -> None:
    random = np.random.default_rng(seed)
    nodes, edges = random.integers(1, 5, 4), random.integers(0, 9, 4)
    node_offsets, edge_offsets = (np.concatenate([[0], np.cumsum(counts)]) for counts in (nodes, edges))
    ends = [random.integers(0, np.repeat(nodes, edges)) for _ in range(2)]
    number = np.arange(edges.sum())
    ids = np.concatenate([random.permutation(6)[:count] for count in nodes])
    zeros = np.zeros(nodes.sum())
    some, others = ([set(random.permutation(6)[: random.integers(4)].tolist()) for _ in range(4)] for _ in range(2))
    found = without_edges_between(
        SubgraphBatch(node_offsets, ids, zeros, zeros, edge_offsets, ends[0], number, ends[1]), some, others
    )
    kept = []
    for text in range(4):
        of_text = ids[node_offsets[text] : node_offsets[text + 1]].tolist()
        pairs = {(a, b) for a in some[text] for b in others[text]}
        edges_of_text = [
            (n, of_text[ends[0][n]], of_text[ends[1][n]]) for n in range(edge_offsets[text], edge_offsets[text + 1])
        ]
        kept.append([n for n, a, b in edges_of_text if (a, b) not in pairs and (b, a) not in pairs])
    parts = [found.relation[found.edge_offsets[text] : found.edge_offsets[text + 1]].tolist() for text in range(4)]
    assert parts == kept


def questions_in(questions: Artifact, split: str) -> int:
    return int(pq.read_metadata(questions.path(f"{split}.parquet")).num_rows)


def test_few_questions_are_drawn_by_the_seed(arms: dict[str, Artifact]) -> None:
    everyone = PreparedQuestions.of(read_choices(arms["prepared"], "train"))
    few, others = drawn(everyone, 10, 1), drawn(everyone, 10, 2)
    assert len(few) == len(set(few.ids)) == 10
    assert few.ids == drawn(everyone, 10, 1).ids != others.ids
    for number, name in enumerate(few.ids):
        at = everyone.ids.index(name)
        assert few.answers[number] == everyone.answers[at]
        mine, theirs = few.rows_of(np.array([number])), everyone.rows_of(np.array([at]))
        assert few.rows.take(pa.array(mine)).equals(everyone.rows.take(pa.array(theirs)))


def test_a_run_that_ends_early_keeps_its_best_epoch(store: ArtifactStore, arms: dict[str, Artifact]) -> None:
    # At such a rate nothing is learnt, and no epoch is better than the first for long.
    stage = fine_tune(arms["lm"], arms["prepared"], epochs=9, patience=1, new_learning_rate=1.0, seed=5)
    metrics = json.loads(make(stage, store).path("metrics.json").read_text())
    ranks = [(epoch["dev_accuracy"], -epoch["dev_loss"]) for epoch in metrics["epochs"]]
    assert len(ranks) < 9
    assert metrics["best_epoch"] == len(ranks) - 1 == 1 + ranks.index(max(ranks))


def test_frozen_epochs_are_no_reason_to_end(store: ArtifactStore, arms: dict[str, Artifact]) -> None:
    # At such rates all epochs are the same, and the first one stays the best.
    rates = {"new_learning_rate": 1e-30, "encoder_learning_rate": 1e-30}
    stage = fine_tune(arms["lm"], arms["prepared"], epochs=9, patience=2, encoder_frozen_epochs=3, **rates)
    metrics = json.loads(make(stage, store).path("metrics.json").read_text())
    assert (metrics["best_epoch"], len(metrics["epochs"])) == (1, 5)


@on_a_cpu
def test_a_killed_run_goes_on_as_if_it_was_not(store: ArtifactStore, arms: dict[str, Artifact], tmp_path: Path) -> None:
    stage = fine_tune(arms["dragon"], arms["prepared"], epochs=4, encoder_frozen_epochs=1, seed=3)
    whole = make(stage, store)
    # The same store, without the result.
    copy = tmp_path / "store"
    copy.mkdir()
    for folder in Path(store.url).iterdir():
        (copy / folder.name).symlink_to(folder) if folder.name != "finetuned" else None
    path = tmp_path / "stage.json"
    path.write_text(stage.model_dump_json())
    command = [sys.executable, "-m", "tests.qa.fine_tuning_program", str(path), str(copy)]
    with subprocess.Popen(command, cwd=REPOSITORY, env=os.environ, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        # In the third of four epochs of ten steps.
        for line in run.stdout:
            if int(line) == 25:
                run.send_signal(signal.SIGKILL)
                break
    again = ArtifactStore(str(copy))
    assert again.find(stage) is None
    steps: list[int] = []
    made = make(stage, again, lambda done, total, /, **numbers: steps.append(done))
    assert steps[0] == 21
    for name in ("predictions.parquet", "metrics.json", "model.safetensors"):
        assert made.path(name).read_bytes() == whole.path(name).read_bytes()
