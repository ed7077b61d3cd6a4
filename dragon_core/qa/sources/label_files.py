"""Sets whose answers stand in a file of their own, a label a line: SocialIQA, but for its version 1.4, and PIQA.

Items have no ids that a leaderboard asks for: line 7 of the file `tests` is question `tests-7`.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from dragon_core.qa.errors import QuestionError
from dragon_core.qa.question import Question
from dragon_core.qa.sources.answers import position_of_label
from dragon_core.qa.sources.files import QuestionFiles
from dragon_core.qa.sources.items import Item, make_question
from dragon_core.qa.sources.params import HiddenTestParams, QuestionSetParams
from dragon_core.qa.sources.reader import QuestionOf
from dragon_core.qa.sources.splits import Splits, without_dev

SOCIALIQA_LABELS = ("1", "2", "3")
# What `answerA` and so on are called in version 1.4.
LETTERS = ("A", "B", "C")
PIQA_LABELS = ("0", "1")


class SocialIQAParams(QuestionSetParams):
    """SocialIQA (Sap et al. 2019); 3 choices.

    Version 1.4 has the official splits, its test perhaps without answers. In the release before, the test is not
    public: test is the official dev, and dev a tenth of the official train.
    """

    source: Literal["socialiqa"] = "socialiqa"


class PiqaParams(HiddenTestParams):
    """PIQA (Bisk et al. 2020); 2 choices."""

    source: Literal["piqa"] = "piqa"


def read_socialiqa(files: QuestionFiles) -> Splits:
    """Read SocialIQA.

    Raises:
        QuestionError: A file is missing, or a file of labels is not that of its items, or an item of a test without
            answers is no question.
    """
    if files.matching("socialIQa_v1.4_*.jsonl*"):
        train, dev, tested = files.find([f"socialIQa_v1.4_{split}.jsonl" for split in ("trn", "dev", "tst")])
        items = list(files.json_lines(tested))
        if any("correct" in item.fields for item in items):
            test = files.questions(items, _answered_question)
        else:
            test = _without_labels(files, tested, items, _socialiqa_question)
        answered_dev = files.questions(files.json_lines(dev), _answered_question)
        return Splits(files.questions(files.json_lines(train), _answered_question), answered_dev, test)
    test = _labelled(files, "dev", _socialiqa_question, SOCIALIQA_LABELS)
    return without_dev(_labelled(files, "train", _socialiqa_question, SOCIALIQA_LABELS), test)


def read_piqa(files: QuestionFiles, params: PiqaParams) -> Splits:
    """Read PIQA, whose dev is called `valid` at its home and `dev` at the leaderboard.

    Raises:
        QuestionError: A file is missing, a file of labels is not that of its items, or an item without an answer is no
            question.
    """
    dev_name = "dev" if files.matching("dev.jsonl*") else "valid"
    test: list[Question] = []
    if params.split == "official":
        (path,) = files.find(["tests.jsonl"])
        test = _without_labels(files, path, files.json_lines(path), _piqa_question)
    dev = _labelled(files, dev_name, _piqa_question, PIQA_LABELS)
    train = _labelled(files, "train", _piqa_question, PIQA_LABELS)
    return without_dev(train, dev) if params.split == "in-house" else Splits(train, dev, test)


def _labelled(
    files: QuestionFiles, name: str, question_of: QuestionOf, labels_of_choices: tuple[str, ...]
) -> list[Question]:
    path, labels_path = files.find([f"{name}.jsonl", f"{name}-labels.lst"])
    labels = files.text_lines(labels_path)
    num_items, num_labels = files.count_lines(path), files.count_lines(labels_path)
    if num_items != num_labels:
        raise QuestionError(
            f"{path} has {num_items} lines and {labels_path.name} {num_labels}; get both again, from one release."
        )

    def with_answer(item: Item) -> Question:
        assert isinstance(item.record, int)
        return replace(question_of(item), answer=position_of_label(labels[item.record - 1], labels_of_choices))

    return files.questions(files.json_lines(path), with_answer)


def _without_labels(files: QuestionFiles, path: Path, items: Iterable[Item], question_of: QuestionOf) -> list[Question]:
    test = files.hidden_test(items, question_of)
    if len(test) < files.count_lines(path):
        raise QuestionError(f"{path} has a blank line; take it out, since labels are submitted line by line.")
    return test


def _socialiqa_question(item: Item) -> Question:
    choices = [item.text(f"answer{letter}") for letter in LETTERS]
    return make_question(numbered(item), item.text("question"), choices, None, item.text("context"), SOCIALIQA_LABELS)


def _answered_question(item: Item) -> Question:
    return replace(_socialiqa_question(item), answer=position_of_label(item.fields.get("correct"), LETTERS))


def _piqa_question(item: Item) -> Question:
    return make_question(
        numbered(item), item.text("goal"), [item.text("sol1"), item.text("sol2")], None, labels=PIQA_LABELS
    )


def numbered(item: Item) -> str:
    """Id of an item that has none: the name of its file, and its line."""
    return f"{item.source.partition('.json')[0]}-{item.record}"
