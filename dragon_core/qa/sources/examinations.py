"""Medical examinations: MedQA and MedMCQA, a JSON object on each line."""

from typing import Literal

from pydantic import Field

from dragon_core.qa.errors import QuestionError
from dragon_core.qa.question import Question
from dragon_core.qa.sources.answers import position_of_label
from dragon_core.qa.sources.files import QuestionFiles
from dragon_core.qa.sources.items import Item, MalformedItemError, make_question, text_of
from dragon_core.qa.sources.label_files import numbered
from dragon_core.qa.sources.params import HiddenTestParams, QuestionSetParams
from dragon_core.qa.sources.splits import Splits, without_dev

MEDMCQA_LABELS = ("1", "2", "3", "4")
# What MedQA's files with four choices begin with: those of the United States, of the Mainland; Taiwan's with nothing.
FOUR_CHOICES = ("phrases_no_exclude_", "4_options/")


class MedQAParams(QuestionSetParams):
    """MedQA (Jin et al. 2021), the questions of one country: its folder US, say."""

    source: Literal["medqa"] = "medqa"
    num_choices: Literal[4, 5] = Field(
        4, description="4: the files of the folder 4_options, where there is one; 5: the files beside it."
    )


class MedMCQAParams(HiddenTestParams):
    """MedMCQA (Pal et al. 2022), in its own files, where right answers are counted from 1; 4 choices."""

    source: Literal["medmcqa"] = "medmcqa"


def read_medqa(files: QuestionFiles, params: MedQAParams) -> Splits:
    """Read MedQA, in its official splits. Its items have no ids: line 7 of test is question `test-7`.

    Raises:
        QuestionError: A file is missing, or there are those of several countries.
    """
    countries = {path.parent for path in files.matching("train.jsonl*") if path.parent.name != "4_options"}
    if len(countries) > 1:
        names = ", ".join(sorted(folder.name for folder in countries))
        raise QuestionError(f"{files.root} has the questions of {names}; give the folder of one of them.")
    beginnings = FOUR_CHOICES if params.num_choices == 4 else ()
    beginning = next((found for found in beginnings if files.matching(f"{found}train.jsonl*")), "")
    train, dev, test = files.find([f"{beginning}{split}.jsonl" for split in ("train", "dev", "test")])

    def question_of(item: Item) -> Question:
        question = _medqa_question(item, numbered(item).removeprefix(beginning))
        if len(question.choices) != params.num_choices:
            raise MalformedItemError(f"it has {len(question.choices)} choices, and num_choices is {params.num_choices}")
        return question

    read = {path: files.questions(files.json_lines(path), question_of) for path in (test, dev, train)}
    return Splits(read[train], read[dev], read[test])


def read_medmcqa(files: QuestionFiles, params: MedMCQAParams) -> Splits:
    """Read MedMCQA.

    Raises:
        QuestionError: A file is missing, or counts answers from 0.
    """
    names = ["train.json", "dev.json"]
    if params.split == "official":
        names.append("test.json")
    train, dev, *hidden = files.find(names)
    test = [
        question for path in hidden for question in files.hidden_test(files.json_lines(path), _hidden_medmcqa_question)
    ]
    official_dev = files.questions(files.json_lines(dev), medmcqa_question)
    official_train = files.questions(files.json_lines(train), medmcqa_question)
    return Splits(official_train, official_dev, test) if hidden else without_dev(official_train, official_dev)


def medmcqa_question(item: Item) -> Question:
    """A question of MedMCQA with its answer.

    Raises:
        MalformedItemError: A field is missing or something else.
        QuestionError: Answers are counted from 0.
    """
    cop = item.fields.get("cop")
    if cop == 0:
        raise QuestionError(
            f"Item {item.record} of {item.source} has the answer 0, but MedMCQA's own files count answers from 1: this"
            " is a copy that counts from 0. Give the own files, or read the copy with `source: hub`."
        )
    return _medmcqa_question(item, position_of_label(cop, MEDMCQA_LABELS))


def _hidden_medmcqa_question(item: Item) -> Question:
    return _medmcqa_question(item, None)


def _medmcqa_question(item: Item, answer: int | None) -> Question:
    choices = [item.text(f"op{letter}") for letter in "abcd"]
    return make_question(item.identifier("id"), item.text("question"), choices, answer, labels=MEDMCQA_LABELS)


def _medqa_question(item: Item, question_id: str) -> Question:
    options = item.fields.get("options")
    if not isinstance(options, dict):
        raise MalformedItemError("its options are no JSON object")
    labels = list(options)
    choices = [text_of(text, f"option {label}") for label, text in options.items()]
    answer = position_of_label(item.text("answer_idx"), labels)
    if choices[answer] != item.text("answer"):
        raise MalformedItemError(f"its answer does not read like its option {labels[answer]}")
    return make_question(question_id, item.text("question"), choices, answer, labels=labels)
