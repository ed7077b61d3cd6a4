import gzip
import json
from pathlib import Path

import pytest

from dragon_core.artifacts import TooManyRejectsError
from dragon_core.qa import QuestionError
from tests.qa.question_files import labelled, many, read, write_lines
from tests.shared_data import SHARED_DATA


@pytest.fixture
def commonsenseqa(tmp_path: Path) -> Path:
    folder = tmp_path / "csqa"
    write_lines(folder / "train_rand_split.jsonl", many("train", 5, answer="B"))
    write_lines(folder / "dev_rand_split.jsonl", many("dev", 2))
    write_lines(folder / "test_rand_split_no_answers.jsonl", many("test", 3, answer=None))
    write_lines(folder / "inhouse_split_qids.txt", ["train3", "train0", "train1"])
    return folder


def test_the_in_house_split_of_commonsenseqa_tests_on_what_its_list_leaves_of_train(
    commonsenseqa: Path, tmp_path: Path
) -> None:
    found = read(commonsenseqa, tmp_path / "store", source="commonsenseqa")
    assert found.ids() == (["train0", "train1", "train3"], ["dev0", "dev1"], ["train2", "train4"])
    assert found.train[0] == {
        "question_id": "train0",
        "question": "What is train0?",
        "context": "",
        "choices": [f"choice {label} of train0" for label in "ABCDE"],
        "labels": ["A", "B", "C", "D", "E"],
        "answer": 1,
    }
    assert {name: found.counts[name] for name in ("train", "dev", "test")} == {"train": 3, "dev": 2, "test": 2}
    assert found.rejects == []


def test_the_official_test_of_commonsenseqa_has_no_answers(commonsenseqa: Path, tmp_path: Path) -> None:
    found = read(commonsenseqa, tmp_path / "store", source="commonsenseqa", split="official")
    assert [len(ids) for ids in found.ids()] == [5, 2, 3]
    assert [row["answer"] for row in found.test] == [None] * 3


def test_a_mark_before_the_list_belongs_to_no_id(commonsenseqa: Path, tmp_path: Path) -> None:
    path = commonsenseqa / "inhouse_split_qids.txt"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    found = read(commonsenseqa, tmp_path / "store", source="commonsenseqa")
    assert found.ids()[0] == ["train0", "train1", "train3"]
    assert found.rejects == []


def test_an_id_of_the_list_that_train_has_not_is_a_reject(commonsenseqa: Path, tmp_path: Path) -> None:
    write_lines(commonsenseqa / "inhouse_split_qids.txt", ["train3", "other"])
    found = read(commonsenseqa, tmp_path / "store", source="commonsenseqa")
    assert found.ids()[0] == ["train3"]
    assert [reject[:2] for reject in found.rejects] == [("inhouse_split_qids.txt", "2")]


BAD_LINES = {
    "no JSON at all": "it is not JSON",
    "[1, 2]": "it is no JSON object",
    '{"id": "x"}': 'its question is no JSON object with "stem" and "choices"',
    '{"id": "x", "question": {"stem": "Why?", "choices": "none"}}': "its choices are no list",
    json.dumps(labelled("x", answer=None)): "its answerKey is no text, or empty",
    json.dumps(labelled("x", answer="F")): "its answer 'F' is none of its labels A, B, C, D, E",
    json.dumps(labelled("x", labels="ABCD")): "it has 4 choices instead of 5",
    json.dumps(labelled("x", labels="AABCD")): "two of its choices have the same label",
    json.dumps(labelled("")): "its id is no text, or empty",
    json.dumps(labelled("\ud800")): "half a surrogate pair",
    json.dumps(labelled("dev1")): "its id dev1 is that of another item, 2 of dev_rand_split.jsonl",
    "[" * 100_000: "it is not JSON",
}


def test_what_cannot_be_read_is_a_reject_with_file_and_line(commonsenseqa: Path, tmp_path: Path) -> None:
    write_lines(commonsenseqa / "train_rand_split.jsonl", [*many("train", 5), "", *BAD_LINES])
    found = read(commonsenseqa, tmp_path / "store", source="commonsenseqa")
    assert [len(ids) for ids in found.ids()] == [3, 2, 2]
    lines = [str(line) for line in range(7, 7 + len(BAD_LINES))]
    assert [reject[:2] for reject in found.rejects] == [("train_rand_split.jsonl", line) for line in lines]
    for (_, _, reason), expected in zip(found.rejects, BAD_LINES.values(), strict=True):
        assert expected in reason


def test_a_line_that_is_not_utf8_is_a_reject_and_a_byte_order_mark_is_none(commonsenseqa: Path, tmp_path: Path) -> None:
    path = commonsenseqa / "dev_rand_split.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b'{"id": "\xff"}\n')
    found = read(commonsenseqa, tmp_path / "store", source="commonsenseqa")
    assert found.ids()[1] == ["dev0", "dev1"]
    assert found.rejects == [("dev_rand_split.jsonl", "3", "it is not UTF-8")]


def test_past_the_share_of_rejects_the_stage_fails(commonsenseqa: Path, tmp_path: Path) -> None:
    write_lines(commonsenseqa / "train_rand_split.jsonl", [*many("train", 5), "bad"])
    with pytest.raises(TooManyRejectsError, match=r"record 6 of train_rand_split\.jsonl: it is not JSON"):
        read(commonsenseqa, tmp_path / "store", source="commonsenseqa", max_reject_share=0.01)


def test_a_small_file_that_is_damaged_fails_beside_a_large_one(commonsenseqa: Path, tmp_path: Path) -> None:
    write_lines(commonsenseqa / "train_rand_split.jsonl", many("train", 200))
    path = commonsenseqa / "dev_rand_split.jsonl"
    path.write_text(path.read_text() + "bad\n")
    with pytest.raises(TooManyRejectsError, match=r"^1 of 3 records were rejected .* of dev_rand_split\.jsonl"):
        read(commonsenseqa, tmp_path / "store", source="commonsenseqa", max_reject_share=0.01)


def test_all_missing_files_are_named_in_one_sentence(commonsenseqa: Path, tmp_path: Path) -> None:
    (commonsenseqa / "inhouse_split_qids.txt").unlink()
    (commonsenseqa / "dev_rand_split.jsonl").unlink()
    with pytest.raises(QuestionError, match=r"csqa lacks dev_rand_split\.jsonl, inhouse_split_qids\.txt; give"):
        read(commonsenseqa, tmp_path / "store", source="commonsenseqa")


def test_a_split_without_questions_is_one_sentence(commonsenseqa: Path, tmp_path: Path) -> None:
    write_lines(commonsenseqa / "dev_rand_split.jsonl", [])
    with pytest.raises(QuestionError, match="'commonsenseqa' gave no question of dev"):
        read(commonsenseqa, tmp_path / "store", source="commonsenseqa")


def test_openbookqa_is_found_in_its_unpacked_archive_with_facts_or_without(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        items = many(split, 2, answer="D", labels="ABCD")
        write_lines(tmp_path / "obqa/Data/Main" / f"{split}.jsonl", items)
        with_facts = [item | {"fact1": f"fact of {item['id']}", "humanScore": "1.00"} for item in items]
        write_lines(tmp_path / "obqa/Data/Additional" / f"{split}_complete.jsonl", with_facts)
    plain = read(tmp_path / "obqa", tmp_path / "store", source="openbookqa")
    assert plain.ids() == (["train0", "train1"], ["dev0", "dev1"], ["test0", "test1"])
    assert (plain.test[1]["answer"], plain.test[1]["context"]) == (3, "")
    facts = read(tmp_path / "obqa", tmp_path / "store", source="openbookqa", with_facts=True)
    assert facts.test == [row | {"context": f"fact of {row['question_id']}"} for row in plain.test]


def test_files_may_be_gzipped(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write_lines(tmp_path / "obqa" / f"{split}.jsonl", many(split, 1, labels="ABCD"))
        path = tmp_path / "obqa" / f"{split}.jsonl"
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert read(tmp_path / "obqa", tmp_path / "store", source="openbookqa").ids() == (["train0"], ["dev0"], ["test0"])
    (tmp_path / "obqa/dev.jsonl.gz").write_bytes((tmp_path / "obqa/dev.jsonl.gz").read_bytes()[:-9])
    with pytest.raises(QuestionError, match=r"dev\.jsonl\.gz cannot be read"):
        read(tmp_path / "obqa", tmp_path / "store", source="openbookqa")


def test_several_files_of_one_name_are_one_sentence(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write_lines(tmp_path / "sets/one" / f"{split}.jsonl", many(split, 1))
    write_lines(tmp_path / "sets/two/dev.jsonl", many("dev", 1))
    with pytest.raises(QuestionError, match=r"several files dev\.jsonl: one/dev\.jsonl, two/dev\.jsonl"):
        read(tmp_path / "sets", tmp_path / "store", source="openbookqa")


def test_arc_has_three_to_five_choices_with_letters_or_digits(tmp_path: Path) -> None:
    for split in ("Train", "Dev"):
        write_lines(tmp_path / "arc/ARC-Easy" / f"ARC-Easy-{split}.jsonl", many(split, 1))
    items = [labelled("a", "C", "ABC"), labelled("b", "4", "1234"), labelled("c", "E", "ABCDE")]
    write_lines(tmp_path / "arc/ARC-Easy/ARC-Easy-Test.jsonl", items)
    found = read(tmp_path / "arc", tmp_path / "store", source="arc", part="Easy")
    assert [(row["labels"], row["answer"]) for row in found.test] == [
        (["A", "B", "C"], 2),
        (["1", "2", "3", "4"], 3),
        (["A", "B", "C", "D", "E"], 4),
    ]
    with pytest.raises(QuestionError, match="holds ARC-Easy alone; give it as `part`"):
        read(tmp_path / "arc", tmp_path / "store", source="arc")
    write_lines(tmp_path / "arc/other/train.jsonl", items)
    with pytest.raises(QuestionError, match=r"lacks ARC-Challenge-Train\.jsonl"):
        read(tmp_path / "arc/other", tmp_path / "store", source="arc")


@pytest.mark.parametrize(
    ("source", "labels", "names"),
    [
        ("riddlesense", "ABCDE", ["rs_train.jsonl", "rs_dev.jsonl", "rs_test_hidden.jsonl"]),
        ("qasc", "ABCDEFGH", ["train.jsonl", "dev.jsonl", "test.jsonl"]),
    ],
)
def test_a_hidden_test_is_read_without_answers_or_replaced_by_dev(
    tmp_path: Path, source: str, labels: str, names: list[str]
) -> None:
    write_lines(tmp_path / "set" / names[0], many("train", 20, labels=labels))
    write_lines(tmp_path / "set" / names[1], many("dev", 3, answer="C", labels=labels))
    write_lines(tmp_path / "set" / names[2], many("test", 2, answer="hidden", labels=labels))
    official = read(tmp_path / "set", tmp_path / "store", source=source, split="official")
    assert [len(ids) for ids in official.ids()] == [20, 3, 2]
    assert [row["answer"] for row in official.test] == [None, None]
    # The leaderboard takes an answer to each.
    write_lines(tmp_path / "set" / names[2], [*many("test", 200, answer="hidden", labels=labels), "{}"])
    with pytest.raises(QuestionError, match=f"{names[2]} has an item that is no question, 201: its "):
        read(tmp_path / "set", tmp_path / "store", source=source, split="official")
    (tmp_path / "set" / names[2]).unlink()
    in_house = read(tmp_path / "set", tmp_path / "store", source=source)
    assert in_house.test == official.dev
    assert [len(ids) for ids in in_house.ids()] == [18, 2, 3]
    assert sorted(in_house.ids()[0] + in_house.ids()[1]) == sorted(official.ids()[0])


def test_the_in_house_dev_is_the_same_in_every_order_of_the_file(tmp_path: Path) -> None:
    items = many("train", 30)
    devs = []
    for name, rows in {"one": items, "two": items[::-1]}.items():
        write_lines(tmp_path / name / "rs_train.jsonl", rows)
        write_lines(tmp_path / name / "rs_dev.jsonl", many("dev", 1))
        devs.append(set(read(tmp_path / name, tmp_path / "store", source="riddlesense").ids()[1]))
    assert devs[0] == devs[1]
    assert len(devs[0]) == 3


def test_qasc_gives_its_combined_fact_as_context(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        fact = {"fact1": "one", "fact2": "two", "combinedfact": "one and two"}
        write_lines(tmp_path / "qasc" / f"{split}.jsonl", many(split, 10, labels="ABCDEFGH", **fact))
    assert read(tmp_path / "qasc", tmp_path / "store", source="qasc").test[0]["context"] == ""
    with_facts = read(tmp_path / "qasc", tmp_path / "store", source="qasc", with_facts=True)
    assert {row["context"] for row in with_facts.test} == {"one and two"}


@pytest.mark.skipif(not (SHARED_DATA / "csqa").exists(), reason="CommonsenseQA is not there: set DRAGON_SHARED_DATA.")
def test_the_real_commonsenseqa_is_read_whole(tmp_path: Path) -> None:
    in_house = read(SHARED_DATA / "csqa", tmp_path, source="commonsenseqa")
    assert [len(ids) for ids in in_house.ids()] == [8500, 1221, 1241]
    official = read(SHARED_DATA / "csqa", tmp_path, source="commonsenseqa", split="official")
    assert [len(ids) for ids in official.ids()] == [9741, 1221, 1140]
    assert in_house.rejects == official.rejects == []


@pytest.mark.skipif(not (SHARED_DATA / "obqa").exists(), reason="OpenBookQA is not there: set DRAGON_SHARED_DATA.")
def test_the_real_openbookqa_is_read_whole(tmp_path: Path) -> None:
    found = read(SHARED_DATA / "obqa", tmp_path, source="openbookqa")
    assert [len(ids) for ids in found.ids()] == [4957, 500, 500]
    assert {len(row["choices"]) for row in found.test} == {4}
    assert found.rejects == []
