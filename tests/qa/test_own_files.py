import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dragon_core.artifacts import ArtifactStore, ExternalFiles, make
from dragon_core.artifacts.draft import Tally
from dragon_core.qa import QuestionError, ReadQuestions
from dragon_core.qa.question import Question
from dragon_core.qa.reading import read_files
from dragon_core.qa.sources.answers import position_of_answer
from dragon_core.qa.sources.files import QuestionFiles
from dragon_core.qa.sources.items import MalformedItemError
from dragon_core.qa.sources.own_files import OwnFilesParams
from tests.qa.question_files import many, read, write_lines

# No half of a surrogate pair, which is no text, and nothing that is stripped.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    choices = draw(st.lists(TEXTS, min_size=2, max_size=6))
    answer = draw(st.integers(0, len(choices) - 1))
    # A number that is the text of another choice is refused.
    assume(str(answer) not in choices or choices.index(str(answer)) == answer)
    context = draw(st.one_of(st.just(""), TEXTS))
    return Question(draw(TEXTS), draw(TEXTS), choices, answer, context)


def row_of(question: Question) -> dict[str, Any]:
    row = {"id": question.question_id, "question": question.question, "choices": question.choices}
    return row | {"answer": question.answer} | ({"context": question.context} if question.context else {})


@settings(max_examples=50)
@given(st.lists(questions(), min_size=3, max_size=9, unique_by=lambda question: question.question_id), st.booleans())
def test_what_was_written_is_read(written: list[Question], is_ascii: bool) -> None:
    splits = {"train": written[0::3], "dev": written[1::3], "test": written[2::3]}
    with TemporaryDirectory() as folder:
        for split, part in splits.items():
            lines = [json.dumps(row_of(question), ensure_ascii=is_ascii) for question in part]
            write_lines(Path(folder) / f"{split}.jsonl", list(lines))
        tally = Tally()
        found = read_files(QuestionFiles(Path(folder), tally), OwnFilesParams())
    assert vars(found) == splits
    assert (tally.counts["records"], tally.rejects) == (len(written), [])


@given(st.lists(TEXTS, min_size=2, max_size=6, unique=True), st.data())
def test_a_position_and_a_text_name_the_same_choice(choices: list[str], data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(choices) - 1))
    assume(str(position) not in choices)
    assert position_of_answer(position, choices) == position_of_answer(choices[position], choices) == position


@pytest.mark.parametrize(
    ("answer", "choices", "position"),
    [
        ("B", ["dog", "cat"], 1),
        # The text of a choice goes before a letter.
        ("A", ["B", "A"], 1),
        (" cat ", ["dog", "cat"], 1),
        ("1", ["2", "1"], 1),
        (None, ["dog", "cat"], None),
        ("", ["dog", "cat"], None),
    ],
)
def test_an_answer_names_a_choice(answer: Any, choices: list[str], position: int | None) -> None:
    assert position_of_answer(answer, choices) == position


@pytest.mark.parametrize("answer", [2, -1, True, 0.0, ["dog"], "C", "AB", "bird", "dog", "b"])
def test_an_answer_that_names_no_choice_or_two_is_refused(answer: Any) -> None:
    with pytest.raises(MalformedItemError, match="its answer"):
        position_of_answer(answer, ["dog", "dog"])


def test_a_number_that_is_the_text_of_another_choice_is_refused() -> None:
    assert position_of_answer(1, ["0", "1"]) == 1
    with pytest.raises(MalformedItemError, match="its answer 1 is the text of one choice and the position of another"):
        position_of_answer(1, ["1", "2"])


def test_the_files_of_a_published_set_are_told_from_ones_own(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write_lines(tmp_path / "own" / f"{split}.jsonl", many(split, 2))
    with pytest.raises(QuestionError, match="Say as `source` which set it is"):
        read(tmp_path / "own", tmp_path / "store", source="own")


def own(name: str | int, **more: Any) -> dict[str, Any]:
    return {"id": name, "question": "What barks?", "choices": ["a dog", "a cat"]} | more


def test_only_test_may_be_without_answers(tmp_path: Path) -> None:
    write_lines(tmp_path / "own/train.jsonl", [own(1, answer=0), own(2), own(1, answer=1)])
    write_lines(tmp_path / "own/dev.jsonl", [own("dev", answer="a cat", context="It miaows.")])
    write_lines(tmp_path / "own/test.jsonl", [own("a"), own("b", answer=None), own("c", answer="A")])
    found = read(tmp_path / "own", tmp_path / "store", source="own")
    assert found.ids() == (["1"], ["dev"], ["a", "b", "c"])
    assert [row["answer"] for row in found.test] == [None, None, 0]
    assert (found.dev[0]["answer"], found.dev[0]["context"], found.dev[0]["labels"]) == (1, "It miaows.", [])
    assert found.rejects == [
        ("train.jsonl", "2", "its answer is not given"),
        ("train.jsonl", "3", "its id 1 is that of another item, 1 of train.jsonl"),
    ]


def test_unknown_fields_and_sources_are_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", [own(1)])
    source = ExternalFiles.of("questions", tmp_path)
    for params in ({"source": "own", "split": "official"}, {"source": "nothing"}, {}):
        with pytest.raises(ValidationError):
            ReadQuestions.model_validate({"source": source, "params": params})
    with pytest.raises(ValidationError, match="'own' is read from files; give its folder"):
        ReadQuestions.model_validate({"params": {"source": "own"}})


def test_the_same_questions_have_the_same_key_and_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        for split in ("train", "dev", "test"):
            write_lines(tmp_path / folder / f"{split}.jsonl", [own(split, answer=0)])
    stages = [
        ReadQuestions(source=ExternalFiles.of("questions", tmp_path / folder), params=OwnFilesParams())
        for folder in ("one", "two")
    ]
    assert stages[0].reference == stages[1].reference
    made = [make(stage, ArtifactStore(str(tmp_path / f"store {number}"))) for number, stage in enumerate(stages)]
    assert made[0].manifest.digest == made[1].manifest.digest
