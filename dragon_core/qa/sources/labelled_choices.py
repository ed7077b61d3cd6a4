"""Sets whose items name their choices: CommonsenseQA, OpenBookQA, RiddleSense, ARC, QASC.

A file has a JSON object on each line:

    {"id": "7", "question": {"stem": "...", "choices": [{"label": "A", "text": "..."}, ...]}, "answerKey": "A"}
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from dragon_core.qa.errors import QuestionError
from dragon_core.qa.question import Question
from dragon_core.qa.sources.answers import position_of_label
from dragon_core.qa.sources.files import QuestionFiles
from dragon_core.qa.sources.items import Item, MalformedItemError, list_of, make_question, text_of
from dragon_core.qa.sources.params import HiddenTestParams, QuestionSetParams
from dragon_core.qa.sources.splits import Splits, without_dev


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


@dataclass(frozen=True)
class Form:
    """How the items of a set look.

    Attributes:
        num_choices: How many choices each has; None if that differs.
        fact: The field that becomes the context, if one does.
    """

    num_choices: int | None = None
    fact: str | None = None

    def question(self, item: Item) -> Question:
        """The question of an item.

        Raises:
            MalformedItemError: A field is missing or something else.
        """
        stem, labels, choices = self._parts(item)
        answer = position_of_label(item.text("answerKey"), labels)
        context = item.text(self.fact) if self.fact is not None else ""
        return make_question(item.identifier("id"), stem, choices, answer, context, labels)

    def hidden_question(self, item: Item) -> Question:
        """The same of an item of a test whose answers, and facts, are not known."""
        stem, labels, choices = self._parts(item)
        return make_question(item.identifier("id"), stem, choices, None, labels=labels)

    def _parts(self, item: Item) -> tuple[str, list[str], list[str]]:
        question = item.fields.get("question")
        if not isinstance(question, dict):
            raise MalformedItemError('its question is no JSON object with "stem" and "choices"')
        labels, choices = labelled_choices(question.get("choices"))
        if self.num_choices not in (None, len(choices)):
            raise MalformedItemError(f"it has {len(choices)} choices instead of {self.num_choices}")
        return text_of(question.get("stem"), "stem"), labels, choices


def read_commonsenseqa(files: QuestionFiles, params: CommonsenseQAParams) -> Splits:
    """Read CommonsenseQA.

    Raises:
        QuestionError: A file is missing.
    """
    names, form = ["train_rand_split.jsonl", "dev_rand_split.jsonl"], Form(num_choices=5)
    if params.split == "official":
        train, dev, test = files.find([*names, "test_rand_split_no_answers.jsonl"])
        return _splits(files, train, dev, _hidden_questions(files, test, form), form)
    train, dev, ids = files.find([*names, "inhouse_split_qids.txt"])
    official = _splits(files, train, dev, [], form)
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
    form = Form(num_choices=4, fact="fact1" if params.with_facts else None)
    return _splits(files, train, dev, _questions(files, test, form), form)


def read_riddlesense(files: QuestionFiles, params: RiddleSenseParams) -> Splits:
    """Read RiddleSense.

    Raises:
        QuestionError: A file is missing.
    """
    names = ["rs_train.jsonl", "rs_dev.jsonl", "rs_test_hidden.jsonl"]
    return _with_hidden_test(files, names, params, Form(num_choices=5))


def read_arc(files: QuestionFiles, params: ArcParams) -> Splits:
    """Read one of ARC's sets, in its official splits.

    Raises:
        QuestionError: A file is missing; the message tells if those of the other set are there.
    """
    names = [f"ARC-{params.part}-{split}.jsonl" for split in ("Train", "Dev", "Test")]
    there = {part for part in ("Challenge", "Easy") if files.matching(f"ARC-{part}-Train.jsonl*")}
    if there and params.part not in there:
        raise QuestionError(f"{files.root} holds ARC-{there.pop()} alone; give it as `part`, or another folder.")
    train, dev, test = files.find(names)
    return _splits(files, train, dev, _questions(files, test, Form()), Form())


def read_qasc(files: QuestionFiles, params: QascParams) -> Splits:
    """Read QASC.

    Raises:
        QuestionError: A file is missing.
    """
    form = Form(num_choices=8, fact="combinedfact" if params.with_facts else None)
    return _with_hidden_test(files, ["train.jsonl", "dev.jsonl", "test.jsonl"], params, form)


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
    files.count(path.name, len(listed))
    for number, question_id in listed:
        if question_id not in known:
            files.tally.reject(path.name, number, f"no question that could be read has the id {question_id}")
    return known & {question_id for _, question_id in listed}


def _with_hidden_test(files: QuestionFiles, names: list[str], params: HiddenTestParams, form: Form) -> Splits:
    if params.split == "in-house":
        train, dev = files.find(names[:2])
        official = _splits(files, train, dev, [], form)
        return without_dev(official.train, official.dev)
    train, dev, test = files.find(names)
    return _splits(files, train, dev, _hidden_questions(files, test, form), form)


def _splits(files: QuestionFiles, train: Path, dev: Path, test: list[Question], form: Form) -> Splits:
    # Of two questions of one id, that of train is the one to lose: it is read last.
    dev_questions = _questions(files, dev, form)
    return Splits(_questions(files, train, form), dev_questions, test)


def _questions(files: QuestionFiles, path: Path, form: Form) -> list[Question]:
    return files.questions(files.json_lines(path), form.question)


def _hidden_questions(files: QuestionFiles, path: Path, form: Form) -> list[Question]:
    return files.hidden_test(files.json_lines(path), form.hidden_question)
