import json
from pathlib import Path
from typing import Any

import pytest

from dragon_core.artifacts.draft import Tally
from dragon_core.qa import QuestionError
from dragon_core.qa.sources.examinations import medmcqa_question
from dragon_core.qa.sources.files import QuestionFiles
from tests.qa.question_files import read, write_lines
from tests.shared_data import SHARED_DATA


def medqa(number: int, labels: str, answer: str = "B", text: str = "") -> dict[str, Any]:
    options = {label: f"drug {label}{number}" for label in labels}
    return {
        "question": f"A person coughs for {number} days. What helps?",
        "answer": text or options[answer],
        "options": options,
        "meta_info": "step1",
        "answer_idx": answer,
    }


def write_medqa(folder: Path, beginning: str, labels: str) -> None:
    for split, count in {"train": 4, "dev": 2, "test": 3}.items():
        write_lines(folder / f"{beginning}{split}.jsonl", [medqa(number, labels) for number in range(count)])


def test_medqa_is_read_with_four_or_five_choices(tmp_path: Path) -> None:
    write_medqa(tmp_path / "US", "", "ABCDE")
    write_medqa(tmp_path / "US/4_options", "phrases_no_exclude_", "ABCD")
    four = read(tmp_path / "US", tmp_path / "store", source="medqa")
    five = read(tmp_path / "US", tmp_path / "store", source="medqa", num_choices=5)
    assert five.ids() == four.ids()
    assert four.ids()[1:] == (["dev-1", "dev-2"], ["test-1", "test-2", "test-3"])
    assert four.test[0] == {
        "question_id": "test-1",
        "question": "A person coughs for 0 days. What helps?",
        "context": "",
        "choices": ["drug A0", "drug B0", "drug C0", "drug D0"],
        "labels": ["A", "B", "C", "D"],
        "answer": 1,
    }
    assert five.test[0]["choices"] == [*four.test[0]["choices"], "drug E0"]


def test_medqa_is_of_one_country(tmp_path: Path) -> None:
    write_medqa(tmp_path / "US", "", "ABCDE")
    write_medqa(tmp_path / "US/4_options", "phrases_no_exclude_", "ABCD")
    write_medqa(tmp_path / "Taiwan", "", "ABCD")
    with pytest.raises(QuestionError, match="has the questions of Taiwan, US; give the folder of one of them"):
        read(tmp_path, tmp_path / "store", source="medqa")


@pytest.mark.parametrize("folder", ["Mainland/4_options", "Taiwan"])
def test_medqa_of_other_countries_names_files_of_four_choices_in_its_own_way(tmp_path: Path, folder: str) -> None:
    write_medqa(tmp_path / "Mainland", "", "ABCDE")
    write_medqa(tmp_path / folder, "", "ABCD")
    found = read(tmp_path / Path(folder).parts[0], tmp_path / "store", source="medqa")
    assert found.ids()[1:] == (["dev-1", "dev-2"], ["test-1", "test-2", "test-3"])
    assert {len(row["choices"]) for row in found.test} == {4}
    assert found.rejects == []


def test_medqa_answers_that_contradict_themselves_are_rejects(tmp_path: Path) -> None:
    write_medqa(tmp_path / "US", "", "ABCDE")
    bad = [medqa(8, "ABCDE", text="drug C8"), medqa(9, "ABCD"), medqa(9, "ABCDE") | {"options": []}]
    write_lines(tmp_path / "US/dev.jsonl", [*bad, medqa(1, "ABCDE")])
    found = read(tmp_path / "US", tmp_path / "store", source="medqa", num_choices=5)
    assert found.ids()[1] == ["dev-4"]
    assert found.rejects == [
        ("dev.jsonl", "1", "its answer does not read like its option B"),
        ("dev.jsonl", "2", "it has 4 choices, and num_choices is 5"),
        ("dev.jsonl", "3", "its options are no JSON object"),
    ]


def medmcqa(name: str, cop: int | None) -> dict[str, Any]:
    item = {"question": f"What of {name}?", "exp": None, "opa": "bone", "opb": "skin", "opc": "skin", "opd": "hair"}
    return item | {"id": name, "choice_type": "single"} | ({} if cop is None else {"cop": cop})


def write_medmcqa(folder: Path) -> None:
    write_lines(folder / "train.json", [medmcqa(f"train{number}", 1 + number % 4) for number in range(20)])
    write_lines(folder / "dev.json", [medmcqa("dev0", 4), medmcqa("dev1", 1)])
    write_lines(folder / "test.json", [medmcqa("test0", None)])


def test_medmcqa_counts_right_answers_from_one(tmp_path: Path) -> None:
    write_medmcqa(tmp_path / "medmcqa")
    official = read(tmp_path / "medmcqa", tmp_path / "store", source="medmcqa", split="official")
    assert [len(ids) for ids in official.ids()] == [20, 2, 1]
    assert [row["answer"] for row in official.dev] == [3, 0]
    assert official.test[0]["answer"] is None
    assert official.test[0]["labels"] == ["1", "2", "3", "4"]
    in_house = read(tmp_path / "medmcqa", tmp_path / "store", source="medmcqa")
    assert [len(ids) for ids in in_house.ids()] == [18, 2, 2]
    assert in_house.test == official.dev


def test_answers_of_medmcqa_that_are_counted_from_zero_are_noticed(tmp_path: Path) -> None:
    write_medmcqa(tmp_path / "medmcqa")
    write_lines(tmp_path / "medmcqa/dev.json", [medmcqa("dev0", 0), medmcqa("dev1", 1)])
    with pytest.raises(QuestionError, match=r"Item 1 of dev\.json has the answer 0, .* `source: hub`"):
        read(tmp_path / "medmcqa", tmp_path / "store", source="medmcqa")


def pubmedqa(decision: str) -> dict[str, Any]:
    return {
        "QUESTION": "Does tea help?",
        "CONTEXTS": ["Tea was drunk.", "Nothing was seen."],
        "LABELS": ["METHODS", "RESULTS"],
        "final_decision": decision,
    }


def write_json(path: Path, value: Any) -> None:
    write_lines(path, [json.dumps(value, indent=1)])


def test_pubmedqa_asks_with_the_abstract_and_keeps_its_official_test(tmp_path: Path) -> None:
    decisions = {str(number): ("yes", "no", "maybe")[number % 3] for number in range(40)}
    write_json(tmp_path / "set/ori_pqal.json", {pmid: pubmedqa(decision) for pmid, decision in decisions.items()})
    write_json(tmp_path / "set/test_ground_truth.json", {pmid: decisions[pmid] for pmid in list(decisions)[20:]})
    found = read(tmp_path / "set", tmp_path / "store", source="pubmedqa")
    assert [len(ids) for ids in found.ids()] == [18, 2, 20]
    assert found.ids()[2] == [str(number) for number in range(20, 40)]
    assert found.test[0] == {
        "question_id": "20",
        "question": "Does tea help?",
        "context": "Tea was drunk. Nothing was seen.",
        "choices": ["yes", "no", "maybe"],
        "labels": [],
        "answer": 2,
    }


def test_bad_items_of_pubmedqa_are_rejects_with_their_ids(tmp_path: Path) -> None:
    items = {str(number): pubmedqa("yes") for number in range(10)}
    items |= {"bad1": pubmedqa("perhaps"), "bad\ud800": pubmedqa("no"), "bad2": pubmedqa("no") | {"CONTEXTS": [""]}}
    write_json(tmp_path / "set/ori_pqal.json", items | {"bad3": 3})
    write_json(tmp_path / "set/test_ground_truth.json", {"0": "yes", "lost": "no"})
    found = read(tmp_path / "set", tmp_path / "store", source="pubmedqa")
    assert found.rejects == [
        ("ori_pqal.json", "bad1", "its answer 'perhaps' is none of yes, no, maybe"),
        ("ori_pqal.json", r"bad\ud800", "its id holds half a surrogate pair"),
        ("ori_pqal.json", "bad2", "its context is no text, or empty"),
        ("ori_pqal.json", "bad3", "it is no JSON object"),
        ("test_ground_truth.json", "lost", "it is not in ori_pqal.json"),
    ]


def test_an_id_of_pubmedqas_test_that_is_lost_is_one_of_all_of_them(tmp_path: Path) -> None:
    write_json(tmp_path / "set/ori_pqal.json", {str(number): pubmedqa("yes") for number in range(120)})
    write_json(tmp_path / "set/test_ground_truth.json", {str(number): "yes" for number in range(99)} | {"lost": "no"})
    found = read(tmp_path / "set", tmp_path / "store", source="pubmedqa", max_reject_share=0.01)
    assert [len(ids) for ids in found.ids()] == [19, 2, 99]
    assert [reject[:2] for reject in found.rejects] == [("test_ground_truth.json", "lost")]


def bioasq(name: str, answer: Any, kind: str = "yesno") -> dict[str, Any]:
    item = {"id": name, "type": kind, "body": f"Is {name} a gene?", "documents": [], "ideal_answer": ["It is."]}
    item |= {"snippets": [{"text": f"{name} is known.", "document": "d"}, {"text": "So it is.", "document": "d"}]}
    return item if answer is None else item | {"exact_answer": answer}


def test_bioasq_gives_its_yes_no_questions_with_snippets(tmp_path: Path) -> None:
    train = [bioasq(f"train{number}", "yes") for number in range(20)]
    train += [bioasq("list", [["a"]], "list"), bioasq("golden1", "no"), bioasq("odd", "unclear")]
    train.append(bioasq("listed", "no") | {"id": ["listed"]})
    train[0] |= {"snippets": None}
    train[1] |= {"snippets": [{"text": " "}, {"text": "So it is."}, {"text": None}]}
    write_json(tmp_path / "set/training9b.json", {"questions": train})
    for batch, answer in {"9B1": "Yes.", "9B2": ["no"]}.items():
        golden = {"questions": [bioasq(f"golden{batch[-1]}", answer), bioasq("gene", [["b"]], "factoid")]}
        write_json(tmp_path / "set/Task9BGoldenEnriched" / f"{batch}_golden.json", golden)
    found = read(tmp_path / "set", tmp_path / "store", source="bioasq")
    assert [len(ids) for ids in found.ids()] == [18, 2, 2]
    assert found.test[0] == {
        "question_id": "golden1",
        "question": "Is golden1 a gene?",
        "context": "golden1 is known. So it is.",
        "choices": ["yes", "no"],
        "labels": [],
        "answer": 0,
    }
    assert found.test[1]["answer"] == 1
    contexts = {row["question_id"]: row["context"] for row in found.train + found.dev}
    assert (contexts["train0"], contexts["train1"]) == ("", "So it is.")
    assert found.counts["other_kinds"] == 3
    assert [reject[:2] for reject in found.rejects] == [("training9b.json", "23"), ("training9b.json", "24")]


def test_what_bioasq_tests_is_not_trained_on_by_another_id_either(tmp_path: Path) -> None:
    train = [bioasq(f"train{number}", "yes") for number in range(10)]
    train += [bioasq("golden0", "yes"), bioasq("merged", "yes") | {"body": "Is golden1 a Gene? "}]
    write_json(tmp_path / "set/training12b.json", {"questions": train})
    write_json(tmp_path / "set/12B1_golden.json", {"questions": [bioasq(f"golden{n}", "yes") for n in range(2)]})
    found = read(tmp_path / "set", tmp_path / "store", source="bioasq")
    assert [len(ids) for ids in found.ids()] == [9, 1, 2]
    assert (found.counts["also_in_test"], found.rejects) == (2, [])
    write_json(tmp_path / "set/training11b.json", {"questions": train})
    with pytest.raises(QuestionError, match=r"training11b\.json, training12b\.json; leave the newest"):
        read(tmp_path / "set", tmp_path / "store", source="bioasq")


def test_batches_of_a_running_challenge_have_no_answers(tmp_path: Path) -> None:
    write_json(tmp_path / "set/training9b.json", {"questions": [bioasq(f"train{n}", "no") for n in range(10)]})
    with pytest.raises(QuestionError, match=r"lacks \*golden\*\.json or \*testset\*"):
        read(tmp_path / "set", tmp_path / "store", source="bioasq")
    write_json(tmp_path / "set/BioASQ-task9bPhaseA-testset1", {"questions": [bioasq("new", None) | {"snippets": []}]})
    write_json(tmp_path / "set/BioASQ-task9bPhaseB-testset1", {"questions": [bioasq("new", None)]})
    found = read(tmp_path / "set", tmp_path / "store", source="bioasq")
    assert [(row["question_id"], row["answer"]) for row in found.test] == [("new", None)]
    assert found.test[0]["context"] == "new is known. So it is."


@pytest.mark.parametrize("other", ["BioASQ-task9bPhaseB-testset2", "9B1_golden.json"])
def test_a_batch_without_answers_is_read_alone(tmp_path: Path, other: str) -> None:
    write_json(tmp_path / "set/training9b.json", {"questions": [bioasq(f"train{n}", "no") for n in range(10)]})
    write_json(tmp_path / "set/BioASQ-task9bPhaseB-testset1", {"questions": [bioasq("new", None)]})
    write_json(tmp_path / "set" / other, {"questions": [bioasq("newer", "yes")]})
    with pytest.raises(QuestionError, match=rf"several batches, some without answers: .*{other}"):
        read(tmp_path / "set", tmp_path / "store", source="bioasq")


@pytest.mark.parametrize("content", ["{", "[]", '{"questions": 1}'])
def test_a_document_of_another_form_is_one_sentence(tmp_path: Path, content: str) -> None:
    write_lines(tmp_path / "set/training9b.json", [content])
    write_lines(tmp_path / "set/9B1_golden.json", [content])
    with pytest.raises(QuestionError, match=r"9B1_golden\.json is (not|no) JSON"):
        read(tmp_path / "set", tmp_path / "store", source="bioasq")


@pytest.mark.skipif(not (SHARED_DATA / "pubmedqa").exists(), reason="PubMedQA is not there: set DRAGON_SHARED_DATA.")
def test_the_real_pubmedqa_is_read_whole(tmp_path: Path) -> None:
    found = read(SHARED_DATA / "pubmedqa", tmp_path, source="pubmedqa")
    assert [len(ids) for ids in found.ids()] == [450, 50, 500]
    truth = json.loads((SHARED_DATA / "pubmedqa/test_ground_truth.json").read_text())
    assert {row["question_id"]: row["choices"][row["answer"]] for row in found.test} == truth
    assert found.rejects == []


@pytest.mark.skipif(not (SHARED_DATA / "medmcqa_dev").exists(), reason="MedMCQA is not there: set DRAGON_SHARED_DATA.")
def test_the_real_dev_of_medmcqa_is_read_whole() -> None:
    tally = Tally()
    files = QuestionFiles(SHARED_DATA / "medmcqa_dev", tally)
    (path,) = files.find(["dev.json"])
    questions = files.questions(files.json_lines(path), medmcqa_question)
    assert len(questions) == 4183
    assert [sum(question.answer == position for question in questions) for position in range(4)] == [
        1348,
        1085,
        925,
        825,
    ]
    assert tally.rejects == []
