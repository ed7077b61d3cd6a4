"""Arms and ablations of a model, on a set of questions, by the flows."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError
from safetensors.torch import load_file
from typer.testing import CliRunner

from dragon_core.artifacts import ArtifactStore, ExternalFiles, make
from dragon_core.artifacts.lineage import lineage
from dragon_core.cli import app
from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.qa import QuestionError
from dragon_core.qa.ablations import ABLATIONS
from dragon_core.qa.arms import TITLES, starting_stage
from dragon_core.qa.evaluation import reference_of
from dragon_core.qa.parameters import FineTuningParams
from dragon_core.qa.provenance import Provenance
from dragon_core.qa.sources.own_files import OwnFilesParams
from dragon_core.subgraph import SubgraphParams
from dragon_core.training import Execution, Pretrain, TrainingParams
from flows.ablate import ablate
from flows.evaluate import evaluate, questions_of
from flows.sources import QuestionSource
from flows.stages import (
    build_corpus,
    build_graph,
    build_linker,
    embed_nodes,
    extract_subgraphs,
    link_entities,
    train,
)
from flows.task_runners import Threads
from tests.graph.wordnet.dictionary import write_dictionary

pytestmark = pytest.mark.usefixtures("prefect_server")

TRAINING = TrainingParams(steps=2, warmup_steps=1, batch_size=4, node_size=16, interaction_size=16)
FINETUNING = FineTuningParams(train_examples=6, epochs=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with a pretrained model of the small dictionary."""
    folder = tmp_path_factory.mktemp("evaluation")
    store = str(folder / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORDNET_DIR", str(write_dictionary(folder / "dictionary")))
        build_graph(store=store)
        build_corpus(CorpusParams(max_segments=30), store=store)
    build_linker(store=store)
    link_entities(task_runner=Threads(), store=store)
    embed_nodes(store=store)
    extract_subgraphs(params=SubgraphParams(relevance="degree"), task_runner=Threads(), store=store)
    train(params=TRAINING, execution=Execution(num_threads=1), store=store)
    return store


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> QuestionSource:
    """Questions of one's own, with two choices or three."""
    folder = tmp_path_factory.mktemp("questions")
    for split, count in (("train", 8), ("dev", 4), ("test", 6)):
        lines = []
        for number in range(count):
            choices = ["a cat", "a red ball", "a dog"][: 2 + number % 2]
            item = {"id": f"{split}-{number}", "question": f"Which one is number {number}?", "choices": choices}
            lines.append(json.dumps(item | {"answer": number % 2}) + "\n")
        (folder / f"{split}.jsonl").write_text("".join(lines))
    return QuestionSource(files=str(folder), params=OwnFilesParams())


def test_files_are_not_taken_for_generated_questions() -> None:
    with pytest.raises(ValidationError, match=r"say in `params` which set `files` hold"):
        QuestionSource(files="data/csqa")


def test_no_questions_are_generated_of_texts_even_if_these_have_changed(store: str, tmp_path: Path) -> None:
    opened = ArtifactStore(store)
    origin = Provenance.of(opened, opened.resolve("checkpoint/latest").reference)
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("A dog barks.\n")
    params = CorpusParams(source="text", holdout_share=0)
    corpus = make(BuildCorpus(source=ExternalFiles.of("texts", texts), params=params), opened).reference
    (texts / "a.txt").write_text("A cat does not.\n")
    of_texts = replace(origin, extraction=origin.extraction.model_copy(update={"corpus": corpus}))
    with pytest.raises(QuestionError, match="was read from the source 'text'; name a question set instead"):
        questions_of(of_texts, QuestionSource(), opened, reference_of)


def test_every_arm_is_a_model_of_its_own(store: str, questions: QuestionSource) -> None:
    arms = tuple(TITLES)
    opened = ArtifactStore(store)
    made = opened.resolve(evaluate(questions=questions, arms=arms, finetuning=FINETUNING, store=store))
    metrics = json.loads(made.path("metrics.json").read_text())
    assert set(metrics["arms"]) == set(arms)
    # Of each arm another model was fine-tuned, but for two that read the same one in different ways.
    runs = {arm: opened.resolve(metrics["runs"][arm][0]["reference"]) for arm in arms}
    starts = {arm: str(run.manifest.origin("checkpoint")) for arm, run in runs.items()}
    assert starts["dragon"] == starts["lm-of-dragon"]
    assert len(set(starts.values())) == len(arms) - 1
    # A graph network that was pretrained learns as slowly as the language model; one step moves by the rate.
    rates = FINETUNING.encoder_learning_rate, FINETUNING.new_learning_rate
    for arm, rate in zip(("dragon", "greaselm"), rates, strict=True):
        before, after = (
            load_file(opened.resolve(name).path("model.safetensors"))
            for name in (starts[arm], str(runs[arm].reference))
        )
        graph = [n for n in before if n.startswith("dragon.graph") and n.endswith((".weight", ".bias"))]
        assert max(float((after[name] - before[name]).abs().max()) for name in graph) == pytest.approx(rate, rel=0.1)
    assert {str(arm.manifest.counts["train"]) for arm in runs.values()} == {"6"}
    names = [ancestor.name for ancestor in lineage(opened, made)]
    assert any(name.startswith("untrained-model/") for name in names)


def test_ablations_make_models_of_their_own_and_are_made_once(store: str, questions: QuestionSource) -> None:
    opened = ArtifactStore(store)
    names = ("decoder: TransE", "subgraph: k = 1", "subgraph: kept by degree")
    settings = {"questions": questions, "seeds": (0, 1), "finetuning": FINETUNING, "store": store}
    table = opened.resolve(ablate(ablations=names, **settings))
    metrics = json.loads(table.path("metrics.json").read_text())
    # Nodes are kept by degree already.
    assert set(metrics["arms"]) == {"dragon", *names} - {"subgraph: kept by degree"}
    assert {len(arm["runs"]) for arm in metrics["arms"].values()} == {2}
    # The table grew model by model.
    tables = [one for one in opened.artifacts("evaluation") if "Ablations" in one.manifest.params["title"]]
    assert sorted(len(json.loads(one.path("metrics.json").read_text())["arms"]) for one in tables) == [1, 2, 3]
    checkpoints = len(list(Path(store).glob("checkpoint/*/manifest.json")))
    # What was made to be compared with the checkpoint is not the latest.
    for stage in ("checkpoint", "subgraphs"):
        assert not opened.resolve(f"{stage}/latest").manifest.for_comparison
    again = ablate(ablations=names, **settings)
    assert again == str(table.reference)
    assert len(list(Path(store).glob("checkpoint/*/manifest.json"))) == checkpoints
    report = table.path("report.md").read_text()
    assert "decoder: TransE" in report


def test_models_to_compare_with_are_pretrained_as_is_asked(store: str) -> None:
    opened, asked = ArtifactStore(store), Execution(num_processes=2)
    checkpoint = opened.resolve("checkpoint/latest").reference
    origin = Provenance.of(opened, checkpoint, asked)
    assert origin.pretraining.reference == checkpoint
    changed = ABLATIONS["decoder: TransE"].of(origin, reference_of)
    for stage in (starting_stage("lm-mlm", origin.pretraining), changed.pretraining):
        assert isinstance(stage, Pretrain)
        assert stage.execution == asked


def test_the_command_compares_what_the_flow_compares(store: str, questions: QuestionSource) -> None:
    asked = questions.model_copy(update={"answer_edges": False})
    flow = evaluate(questions=asked, arms=("lm", "dragon"), seeds=(0, 1), finetuning=FINETUNING, store=store)
    assert questions.files
    command = ["evaluate", questions.files, "--arm", "lm", "--seed", "0", "--seed", "1", "--store", store]
    limits = ["--train-examples", str(FINETUNING.train_examples), "--epochs", str(FINETUNING.epochs)]
    done = CliRunner().invoke(app, [*command, "--arm", "dragon", "--without-answer-edges", *limits])
    opened = ArtifactStore(store)
    report = opened.resolve(flow).path("report.md")
    prepared = opened.resolve(flow).manifest.origin("questions")
    assert opened.resolve(str(prepared)).manifest.params["answer_edges"] is False
    assert done.exit_code == 0, done.output
    table, _, path = done.stdout.rpartition("The whole report: ")
    assert report.read_text().startswith(table.strip())
    assert path.strip() == str(report)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--arm", "lm"], "The subject of the report, dragon, is none of its arms (lm)"),
        (["--subject", "greaselm"], "The subject of the report, greaselm, is none of its arms (lm, dragon)"),
        (["--arm", "bert"], "There is no arm 'bert'; give some of lm, "),
        (["--options", '{"part": "Easy"}'], '{"part": "Easy"} are no options of own: part: '),
        (
            ["--class", "yes", "--class", "no"],
            "Question train-0 has the choices a cat, a red ball, not the classes yes",
        ),
        (["--checkpoint", "mentions/latest"], " is no checkpoint; give checkpoint/KEY."),
        (["--source", "trivia"], "There is no question set 'trivia'; give one of commonsenseqa, "),
    ],
)
def test_the_command_refuses_what_cannot_be_compared(
    store: str, questions: QuestionSource, arguments: list[str], sentence: str
) -> None:
    runs = len(list(Path(store).glob("finetuned/*")))
    done = CliRunner().invoke(app, ["evaluate", str(questions.files), "--store", store, *arguments])
    assert sentence in str(done.exception)
    assert len(list(Path(store).glob("finetuned/*"))) == runs
