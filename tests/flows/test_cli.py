"""The `dragon` program from outside: exit status, one sentence, and the stack trace only on request."""

import argparse
from pathlib import Path

import pytest
import torch

from dragon_core.artifacts import ArtifactStore, ExternalFiles, make
from dragon_core.graph import KnowledgeGraph
from dragon_core.graph.stage import BuildGraph
from tests.artifacts.stages import Numbers, Total
from tests.flows.projects import PIPELINES, write_project
from tests.flows.running import User
from tests.graph.wordnet.dictionary import write_dictionary
from tests.modeling.random_golden import PLAIN
from tests.modeling.test_conversion import as_used, published


@pytest.fixture
def user(tmp_path: Path) -> User:
    home = tmp_path / "home"
    home.mkdir()
    return User(write_project(tmp_path / "project"), home, 4200)


def test_check_says_that_a_file_is_sound_and_leaves_the_users_home_alone(user: User) -> None:
    done = user.run("dragon", "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "pipelines.yaml is sound.\n", "")
    assert list(user.home.iterdir()) == []


def test_check_names_every_problem(user: User) -> None:
    broken = PIPELINES.replace("steps: 3", "stepz: 3").replace("name: rehearse", "name: rehearse/all")
    write_project(user.folder, broken)
    done = user.run("dragon", "check")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("pipelines.yaml, line 2, deployments[0].name: ")
    assert done.stderr.splitlines()[-1] == "pipelines.yaml has 1 problem; mend the lines named above."
    write_project(user.folder, PIPELINES.replace("steps: 3", "stepz: 3\n        warmup: -1"))
    done = user.run("dragon", "check")
    assert done.stderr.splitlines()[-1] == "pipelines.yaml has 2 problems; mend the lines named above."


def test_the_demo_does_not_start_with_a_file_that_has_problems(user: User) -> None:
    write_project(user.folder, PIPELINES.replace("steps: 3", "stepz: 3"))
    done = user.run("dragon", "demo")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "did you mean `steps`?; `dragon check` names them all." in done.stderr


@pytest.mark.parametrize("command", [["check"], ["demo"], ["server", "start"], ["ui"]])
def test_outside_a_project_there_is_one_sentence(user: User, command: list[str]) -> None:
    done = User(user.home, user.home, user.port).run("dragon", *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"There is no pipelines.yaml in {user.home}; run this in the project's folder.\n"
    assert list(user.home.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--debug", "check"], ["check", "--debug"]])
def test_the_stack_trace_is_shown_on_request(user: User, arguments: list[str]) -> None:
    done = User(user.home, user.home, user.port).run("dragon", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")


def test_a_full_disk_is_one_sentence(user: User) -> None:
    full = user.folder / ".dragon" / "prefect"
    full.mkdir(parents=True)
    (full / "server.log").symlink_to("/dev/full")
    (full / "server.draft").symlink_to("/dev/full")
    done = user.run("dragon", "server", "start", DRAGON_PREFECT_PORT="")
    assert done.returncode == 1
    assert done.stderr.startswith("There is no space left on the disk")


def test_artifacts_are_listed_traced_and_collected(user: User, tmp_path: Path) -> None:
    store = ArtifactStore(str(user.folder / ".dragon" / "store"))
    old = make(Numbers(), store)
    (tmp_path / "words.txt").write_text("words")
    numbers = make(Numbers(source=ExternalFiles.of("words", tmp_path / "words.txt")), store)
    total = make(Total(numbers=numbers.reference), store)

    listed = user.run("dragon", "artifacts", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [str(a.reference) for a in (old, numbers, total)]
    assert listed[0].endswith("numbers 25, rejects 5")

    traced = user.run("dragon", "artifacts", "lineage", "total/latest").stdout.splitlines()
    assert traced[0].startswith(f"{total.reference}  ")
    assert traced[1].startswith(f"  numbers: {numbers.reference}  ")
    assert traced[2].startswith("    source: ")
    assert "words.txt" in traced[2]

    assert user.run("dragon", "artifacts", "gc").stdout == f"not needed: {old.reference}\n"
    assert len(list(store.artifacts())) == 3
    assert user.run("dragon", "artifacts", "gc", "--delete").stdout == f"deleted {old.reference}\n"
    assert {artifact.reference for artifact in store.artifacts()} == {numbers.reference, total.reference}

    unknown = user.run("dragon", "artifacts", "lineage", "total/0000")
    assert (unknown.returncode, unknown.stdout, unknown.stderr.count("\n")) == (1, "", 1)
    assert "total/0000" in unknown.stderr


def test_wordnet_is_found_where_the_user_says(user: User, tmp_path: Path) -> None:
    folder = write_dictionary(tmp_path / "dictionary")
    assert user.run("dragon", "wordnet", WORDNET_DIR=str(folder)).stdout == f"{folder}\n"
    done = user.run("dragon", "wordnet", WORDNET_DIR=str(user.folder))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "WORDNET_DIR" in done.stderr


def test_a_text_is_linked_to_a_graph_of_the_store(user: User) -> None:
    store = ArtifactStore(str(user.folder / "store"))
    source = ExternalFiles.of("WordNet", write_dictionary(user.folder / "dictionary"))
    graph = make(BuildGraph(source=source), store)
    name = KnowledgeGraph.open(graph.folder).names[0]
    said = f"{name.upper()}S"
    options = ["--graph", str(graph.reference), "--store", "store"]
    done = user.run("dragon", "link", f"No <b>{said}</b>!", *options)
    assert (done.returncode, done.stderr) == (0, "")
    text, _, counts, *lines = done.stdout.splitlines()
    assert text == f"No <b>{said}</b>!"
    assert counts.startswith("1 linked spans, 1 nodes of ")
    assert lines == [f"0.90  {said}  ->  {name}  ({name})"]
    again = user.run("dragon", "link", f"No <b>{said}</b>!", "--linker", "linker/latest", "--store", "store")
    assert again.stdout == done.stdout
    # The linker is kept, so the second time it is only opened.
    assert len(list(store.artifacts("linker"))) == 1

    for params, reason in (
        ('{"method": "spcy"}', "'spcy'"),
        ('{"overlaps": "all"}', "overlaps: Extra inputs are not permitted"),
        ("{", "not a JSON object"),
    ):
        refused = user.run("dragon", "link", "x", *options, "--params", params)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
        assert reason in refused.stderr


def test_a_published_checkpoint_is_converted_and_back(user: User) -> None:
    tensors, options = published(as_used(PLAIN))
    torch.save({"model": tensors, "config": options}, user.folder / "model.pt")
    done = user.run("dragon", "convert", "model.pt", "--out", "model", "--attention-heads", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "model: DragonForPreTraining on roberta (3 layers of 16, 2 heads), 2 fusion layers, 32 entities,"
        " link decoder distmult.\n"
    )
    done = user.run("dragon", "convert", "model", "--to-published", "--out", "back.pt")
    assert (done.returncode, done.stdout) == (0, "back.pt is a published checkpoint.\n")
    with torch.serialization.safe_globals([argparse.Namespace]):
        back = torch.load(user.folder / "back.pt", weights_only=True)
    assert back["model"].keys() == tensors.keys()


def test_a_checkpoint_that_cannot_be_converted_is_one_sentence(user: User) -> None:
    (user.folder / "model.pt").write_text("no checkpoint")
    done = user.run("dragon", "convert", "model.pt", "--out", "model")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("model.pt cannot be read as a torch checkpoint")
    done = user.run("dragon", "convert", "--to-published", ".", "--out", "model.pt")
    assert (done.returncode, done.stderr) == (
        1,
        ". holds no config.json with model.safetensors; give the folder of a saved model.\n",
    )
