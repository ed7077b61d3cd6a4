from pathlib import Path

import pytest

from dragon_core.qa import QuestionError
from tests.qa.question_files import read, write_lines


def write_socialiqa(folder: Path, split: str, labels: list[str]) -> None:
    items = [
        {
            "context": f"Robin met person {number}.",
            "question": "How does Robin feel?",
            "answerA": "glad",
            "answerB": "sad",
            "answerC": "tired",
        }
        for number in range(len(labels))
    ]
    write_lines(folder / f"{split}.jsonl", items)
    write_lines(folder / f"{split}-labels.lst", labels)


def piqa_item(number: int) -> dict[str, str]:
    return {"goal": f"Open jar {number}.", "sol1": "Turn the lid.", "sol2": "Shout at the lid."}


def write_piqa(folder: Path, split: str, labels: list[str]) -> None:
    write_lines(folder / f"{split}.jsonl", [piqa_item(number) for number in range(len(labels))])
    write_lines(folder / f"{split}-labels.lst", labels)


def test_socialiqa_tests_on_its_dev_since_its_test_is_not_public(tmp_path: Path) -> None:
    folder = tmp_path / "siqa/socialiqa-train-dev"
    write_socialiqa(folder, "train", ["1", "2", "3", "2"] * 5)
    write_socialiqa(folder, "dev", ["3", "1"])
    found = read(tmp_path / "siqa", tmp_path / "store", source="socialiqa")
    assert [len(ids) for ids in found.ids()] == [18, 2, 2]
    assert found.test[0] == {
        "question_id": "dev-1",
        "question": "How does Robin feel?",
        "context": "Robin met person 0.",
        "choices": ["glad", "sad", "tired"],
        "labels": ["1", "2", "3"],
        "answer": 2,
    }
    answers = {row["question_id"]: row["answer"] for row in found.train + found.dev}
    assert [answers[f"train-{line}"] for line in range(1, 6)] == [0, 1, 2, 1, 0]


def test_version_1_4_of_socialiqa_has_its_test(tmp_path: Path) -> None:
    item = {"context": "Robin won.", "question": "How does Robin feel?", "answerA": "glad", "answerB": "sad"}
    for split, letters in {"trn": "ABCB", "dev": "CA", "tst": "BDC"}.items():
        lines = [item | {"answerC": "tired", "correct": letter, "promptDim": "xReact"} for letter in letters]
        write_lines(tmp_path / f"siqa/socialIQa_v1.4/socialIQa_v1.4_{split}.jsonl", lines)
    found = read(tmp_path / "siqa", tmp_path / "store", source="socialiqa")
    assert [row["answer"] for row in found.train] == [0, 1, 2, 1]
    assert [row["answer"] for row in found.dev] == [2, 0]
    tested = {row["question_id"]: row["answer"] for row in found.test}
    assert tested == {"socialIQa_v1.4_tst-1": 1, "socialIQa_v1.4_tst-3": 2}
    assert found.rejects == [("socialIQa_v1.4_tst.jsonl", "2", "its answer 'D' is none of its labels A, B, C")]


def test_a_test_of_socialiqa_without_answers_is_read_as_the_leaderboard_asks(tmp_path: Path) -> None:
    item = {"context": "Robin won.", "question": "How?", "answerA": "glad", "answerB": "sad", "answerC": "tired"}
    for split in ("trn", "dev", "tst"):
        lines = [item if split == "tst" else item | {"correct": letter} for letter in "AC"]
        write_lines(tmp_path / f"siqa/socialIQa_v1.4_{split}.jsonl", lines)
    found = read(tmp_path / "siqa", tmp_path / "store", source="socialiqa")
    assert [(row["question_id"], row["answer"]) for row in found.test] == [
        ("socialIQa_v1.4_tst-1", None),
        ("socialIQa_v1.4_tst-2", None),
    ]
    write_lines(tmp_path / "siqa/socialIQa_v1.4_tst.jsonl", [item, item | {"answerA": ""}])
    with pytest.raises(QuestionError, match=r"tst\.jsonl has an item that is no question, 2: its answerA is no text"):
        read(tmp_path / "siqa", tmp_path / "store", source="socialiqa")


def test_labels_stay_with_their_lines_when_an_item_is_bad(tmp_path: Path) -> None:
    write_socialiqa(tmp_path / "siqa", "train", ["1"] * 10)
    write_socialiqa(tmp_path / "siqa", "dev", ["3", "1", "4", "2"])
    lines = (tmp_path / "siqa/dev.jsonl").read_text().splitlines()
    write_lines(tmp_path / "siqa/dev.jsonl", ["{", *lines[1:]])
    found = read(tmp_path / "siqa", tmp_path / "store", source="socialiqa")
    assert [(row["question_id"], row["answer"]) for row in found.test] == [("dev-2", 0), ("dev-4", 1)]
    assert [reject[:2] for reject in found.rejects] == [("dev.jsonl", "1"), ("dev.jsonl", "3")]
    assert found.rejects[1][2] == "its answer '4' is none of its labels 1, 2, 3"


@pytest.mark.parametrize("dev_name", ["valid", "dev"])
def test_piqa_is_read_as_its_home_and_its_leaderboard_have_it(tmp_path: Path, dev_name: str) -> None:
    write_piqa(tmp_path / "piqa", "train", ["0", "1"] * 10)
    write_piqa(tmp_path / "piqa", dev_name, ["1", "0", "0"])
    write_lines(tmp_path / "piqa/tests.jsonl", [piqa_item(number) for number in range(2)])
    in_house = read(tmp_path / "piqa", tmp_path / "store", source="piqa")
    assert [len(ids) for ids in in_house.ids()] == [18, 2, 3]
    assert [row["answer"] for row in in_house.test] == [1, 0, 0]
    official = read(tmp_path / "piqa", tmp_path / "store", source="piqa", split="official")
    assert official.dev == in_house.test
    assert [(row["question_id"], row["answer"], row["labels"]) for row in official.test] == [
        ("tests-1", None, ["0", "1"]),
        ("tests-2", None, ["0", "1"]),
    ]


def test_a_test_of_piqa_that_could_not_be_submitted_is_refused_at_once(tmp_path: Path) -> None:
    write_piqa(tmp_path / "piqa", "train", ["0", "1"])
    write_piqa(tmp_path / "piqa", "valid", ["0", "1"])
    for bad, problem in (
        (piqa_item(1) | {"sol2": ""}, "an item that is no question, 2: its sol2 is no text, or empty"),
        ("", "a blank line"),
    ):
        write_lines(tmp_path / "piqa/tests.jsonl", [piqa_item(0), bad, piqa_item(2)])
        with pytest.raises(QuestionError, match=rf"tests\.jsonl has {problem}"):
            read(tmp_path / "piqa", tmp_path / "store", source="piqa", split="official")


def test_labels_of_another_release_are_one_sentence(tmp_path: Path) -> None:
    write_piqa(tmp_path / "piqa", "train", ["0", "1"])
    write_piqa(tmp_path / "piqa", "valid", ["0", "1"])
    write_lines(tmp_path / "piqa/valid-labels.lst", ["0", "1", "1"])
    with pytest.raises(QuestionError, match=r"valid\.jsonl has 2 lines and valid-labels\.lst 3"):
        read(tmp_path / "piqa", tmp_path / "store", source="piqa")
