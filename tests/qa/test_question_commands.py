"""`dragon answer` and `dragon explain` as they are typed."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dragon_core.artifacts import Artifact, ArtifactStore
from dragon_core.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(store: ArtifactStore, arms: dict[str, Artifact]) -> Run:
    """Runs a command on the model that reads the graph."""
    options = ["--model", str(arms["dragon"].reference), "--store", store.url]
    return lambda *arguments, given="": CliRunner().invoke(app, [*arguments, *options], input=given)


def test_one_question_is_answered_with_probabilities(run: Run) -> None:
    done = run("answer", "key7", "--choices", "door3", "--choices", "door7, or the like")
    assert (done.exit_code, done.stderr) == (0, "")
    answer, _, first, second = done.stdout.splitlines()
    assert answer == "door7, or the like"
    assert first.endswith("%  door3")
    assert second.endswith("%  door7, or the like")


def test_lines_are_answered_and_what_cannot_be_is_told_with_its_line(run: Run) -> None:
    good = {"id": "a", "question": "key5", "choices": ["door4", "door5"]}
    lines = [json.dumps(good), "{", json.dumps(good | {"id": "b", "question": "key4"})]
    done = run("answer", "-", given="\n".join(lines))
    assert done.exit_code == 1
    assert [json.loads(line)["answer"] for line in done.stdout.splitlines()] == ["door5", "door4"]
    assert done.stderr.startswith("line 2: Invalid JSON")
    assert done.stderr.count("\n") == 1
    assert run("answer", "-", given=lines[0]).exit_code == 0


def test_choices_of_lines_stand_in_the_lines(run: Run) -> None:
    done = run("answer", "-", "--choices", "door1")
    assert done.exit_code == 2
    assert "stand in the lines" in done.stderr


def test_an_answer_is_explained_by_a_page(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "talk" / "key.html"
    done = run("explain", "key7", "--choices", "door3", "--choices", "door7", "--out", str(page))
    assert (done.exit_code, done.stdout) == (0, f"door7\n\nExplained in {page}\n")
    assert "key7 opens door7" in page.read_text(encoding="utf-8")
    assert [path.name for path in page.parent.iterdir()] == ["key.html"]
    refused = run("explain", "key7", "--choices", "door3", "--choices", "door7", "--out", str(tmp_path))
    assert refused.exit_code == 2
    assert "is a folder; give the file to write" in " ".join(refused.stderr.replace("│", " ").split())
    # No user may write the second; which reason there is depends on who tries.
    denied = "(No such file or directory|Permission denied)"
    for unwritable, reason in ((page / "below.html", "File exists"), ("/proc/key.html", denied)):
        refused = run("explain", "key7", "--choices", "door3", "--choices", "door7", "--out", str(unwritable))
        assert refused.exit_code == 2
        sentence = " ".join(refused.stderr.replace("│", " ").split())
        assert re.search(f"cannot be written: {reason}. Give another file", sentence)
