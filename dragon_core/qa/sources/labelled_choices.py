"""Sets whose items name their choices: CommonsenseQA, OpenBookQA, RiddleSense, ARC, QASC.

A file has a JSON object on each line:

    {"id": "7", "question": {"stem": "...", "choices": [{"label": "A", "text": "..."}, ...]}, "answerKey": "A"}
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from dragon_core.qa.question import Question
from dragon_core.qa.sources.answers import position_of_label
from dragon_core.qa.sources.files import QuestionFiles
from dragon_core.qa.sources.in_house import Splits, without_dev
from dragon_core.qa.sources.items import Item, MalformedItemError, list_of, make_question, text_of
from dragon_core.qa.sources.params import HiddenTestParams, QuestionSetParams


class CommonsenseQAParams(QuestionSetParams):
    """CommonsenseQA 1.11 (Talmor et al. 2019), the random split; 5 choices."""

    source: Literal["commonsenseqa"] = "commonsenseqa"
    split: Literal["in-house", "official"] = Field(
        "in-house",
        description="in-house: those of the official train that inhouse_split_qids.txt lists, and as test the others"
        " (Lin et al. 2019); official: as published, where the answers of test are not known. Dev is the official one.",
    )


class OpenBookQAParams(QuestionSetParams):
    """OpenBookQA (Mihaylov et al. 2018); 4 choices."""

    source: Literal["openbookqa"] = "openbookqa"
    with_facts: bool = Field(
        False, description="Read the files *_complete.jsonl, and give each question its fact as context."
    )


class RiddleSenseParams(HiddenTestParams):
    """RiddleSense (Lin et al. 2021); 5 choices."""

    source: Literal["riddlesense"] = "riddlesense"


class ArcParams(QuestionSetParams):
    """ARC (Clark et al. 2018); 3 to 5 choices, nearly always 4."""

    source: Literal["arc"] = "arc"
    part: Literal["Challenge", "Easy"] = Field("Challenge", description="Which of its two sets.")


class QascParams(HiddenTestParams):
    """QASC (Khot et al. 2020); 8 choices."""

    source: Literal["qasc"] = "qasc"
    with_facts: bool = Field(
        False, description="Give each question its combined fact as context; the official test has none."
    )


def read_commonsenseqa(files: QuestionFiles, params: CommonsenseQAParams) -> Splits:
    """Read CommonsenseQA.

    Raises:
        QuestionError: A file is missing.
    """
    names = ["train_rand_split.jsonl", "dev_rand_split.jsonl"]
    if params.split == "official":
        train, dev, test = files.find([*names, "test_rand_split_no_answers.jsonl"])
        return _splits(files, train, dev, files.questions(files.json_lines(test), _hidden_question, is_hidden=True))
    train, dev, ids = files.find([*names, "inhouse_split_qids.txt"])
    official = _splits(files, train, dev, [])
    kept = _listed(files, ids, {question.question_id for question in official.train})
    return Splits(
        train=[question for question in official.train if question.question_id in kept],
        dev=official.dev,
        test=[question for question in official.train if question.question_id not in kept],
    )


def read_openbookqa(files: QuestionFiles, params: OpenBookQAParams) -> Splits:
    """Read OpenBookQA, in its official splits.

    Raises:
        QuestionError: A file is missing.
    """
    ending = "_complete" if params.with_facts else ""
    train, dev, test = files.find([f"{split}{ending}.jsonl" for split in ("train", "dev", "test")])
    fact = "fact1" if params.with_facts else None
    return _splits(files, train, dev, _questions(files, test, fact), fact)


def read_riddlesense(files: QuestionFiles, params: RiddleSenseParams) -> Splits:
    """Read RiddleSense.

    Raises:
        QuestionError: A file is missing.
    """
    return _with_hidden_test(files, ["rs_train.jsonl", "rs_dev.jsonl", "rs_test_hidden.jsonl"], params)


def read_arc(files: QuestionFiles, params: ArcParams) -> Splits:
    """Read one of ARC's sets, in its official splits.

    Raises:
        QuestionError: A file is missing.
    """
    train, dev, test = files.find([f"ARC-{params.part}-{split}.jsonl" for split in ("Train", "Dev", "Test")])
    return _splits(files, train, dev, _questions(files, test))


def read_qasc(files: QuestionFiles, params: QascParams) -> Splits:
    """Read QASC.

    Raises:
        QuestionError: A file is missing.
    """
    fact = "combinedfact" if params.with_facts else None
    return _with_hidden_test(files, ["train.jsonl", "dev.jsonl", "test.jsonl"], params, fact)


def labelled_choices(choices: Any) -> tuple[list[str], list[str]]:
    """Labels and texts of choices that are objects with a label and a text.

    Raises:
        MalformedItemError: They are not.
    """
    entries = list_of(choices, "choices")
    if not all(isinstance(entry, dict) for entry in entries):
        raise MalformedItemError("one of its choices is no JSON object")
    labels = [text_of(entry.get("label"), "label of a choice") for entry in entries]
    return labels, [text_of(entry.get("text"), f"choice {label}") for label, entry in zip(labels, entries, strict=True)]


def _listed(files: QuestionFiles, path: Path, known: set[str]) -> set[str]:
    """The ids of a list, a line each, that are known."""
    listed = [(number, line) for number, line in enumerate(files.text_lines(path), start=1) if line]
    files.tally.count(records=len(listed))
    for number, question_id in listed:
        if question_id not in known:
            files.tally.reject(path.name, number, f"no question that could be read has the id {question_id}")
    return known & {question_id for _, question_id in listed}


def _with_hidden_test(
    files: QuestionFiles, names: list[str], params: HiddenTestParams, fact: str | None = None
) -> Splits:
    if params.split == "in-house":
        train, dev = files.find(names[:2])
        official = _splits(files, train, dev, [], fact)
        return without_dev(official.train, official.dev)
    train, dev, test = files.find(names)
    hidden = files.questions(files.json_lines(test), _hidden_question, is_hidden=True)
    return _splits(files, train, dev, hidden, fact)


def _splits(files: QuestionFiles, train: Path, dev: Path, test: list[Question], fact: str | None = None) -> Splits:
    # Of two questions of one id, that of train is the one to lose: it is read last.
    dev_questions = _questions(files, dev, fact)
    return Splits(_questions(files, train, fact), dev_questions, test)


def _questions(files: QuestionFiles, path: Path, fact: str | None = None) -> list[Question]:
    return files.questions(files.json_lines(path), lambda item: _question(item, fact))


def _question(item: Item, fact: str | None) -> Question:
    stem, labels, choices = _parts(item)
    answer = position_of_label(item.text("answerKey"), labels)
    context = item.text(fact) if fact is not None else ""
    return make_question(item.identifier("id"), stem, choices, answer, context, labels)


def _hidden_question(item: Item) -> Question:
    stem, labels, choices = _parts(item)
    return make_question(item.identifier("id"), stem, choices, None, labels=labels)


def _parts(item: Item) -> tuple[str, list[str], list[str]]:
    question = item.fields.get("question")
    if not isinstance(question, dict):
        raise MalformedItemError('its question is no JSON object with "stem" and "choices"')
    labels, choices = labelled_choices(question.get("choices"))
    return text_of(question.get("stem"), "stem"), labels, choices
