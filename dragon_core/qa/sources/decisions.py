"""Biomedical questions that are answered yes or no, or maybe: PubMedQA and BioASQ, each file one JSON document."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Literal

from dragon_core.qa.errors import QuestionError
from dragon_core.qa.question import Question
from dragon_core.qa.sources.files import QuestionFiles
from dragon_core.qa.sources.items import Item, MalformedItemError, list_of, make_question, text_of
from dragon_core.qa.sources.params import QuestionSetParams
from dragon_core.qa.sources.splits import Splits, without_dev

YES_NO = ("yes", "no")
YES_NO_MAYBE = ("yes", "no", "maybe")


class PubMedQAParams(QuestionSetParams):
    """PubMedQA's labelled set (Jin et al. 2019), each question with its abstract: yes, no or maybe.

    Test is the official one. The publishers divide the rest in ten folds; of it, dev is a tenth of our own.
    """

    source: Literal["pubmedqa"] = "pubmedqa"


class BioASQParams(QuestionSetParams):
    """The yes/no questions of BioASQ's task b (Tsatsaronis et al. 2015), each with its snippets.

    Train is the training set, without a tenth of our own that is dev; test is all golden batches, or a batch of a
    running challenge, without answers.
    """

    source: Literal["bioasq"] = "bioasq"


def read_pubmedqa(files: QuestionFiles) -> Splits:
    """Read PubMedQA.

    Raises:
        QuestionError: A file is missing, or is no JSON object.
    """
    path, test_path = files.find(["ori_pqal.json", "test_ground_truth.json"])
    test_ids, labelled = files.json_object(test_path).keys(), files.json_object(path)
    questions = files.questions(files.items(path.name, labelled.items()), _pubmedqa_question)
    files.count(test_path.name, len(test_ids))
    for missing in sorted(test_ids - labelled.keys()):
        files.tally.reject(test_path.name, missing, f"it is not in {path.name}")
    in_test = [question for question in questions if question.question_id in test_ids]
    return without_dev([question for question in questions if question.question_id not in test_ids], in_test)


def read_bioasq(files: QuestionFiles) -> Splits:
    """Read the yes/no questions of BioASQ.

    Those of other kinds are counted as `other_kinds`, those to train on that test has, too, as `also_in_test`.

    Raises:
        QuestionError: A file is missing, or is no JSON object with questions, or there are several to train on, or
            batches without answers beside others.
    """
    train = files.matching("*train*.json*")
    golden = files.matching("*golden*.json*")
    # Files of phase A have the same questions without snippets; those of some years have no ending.
    asked = [path for path in files.matching("*testset*") if "phasea" not in path.name.lower() and path not in golden]
    test = golden + asked
    if not train or not test:
        lacking = "*train*.json" if not train else "*golden*.json or *testset*"
        raise QuestionError(f"{files.root} lacks {lacking}; give the folder with BioASQ's own files.")
    if len(train) > 1:
        names = ", ".join(path.name for path in train)
        raise QuestionError(
            f"{files.root} has several training sets: {names}; leave the newest, which holds the others."
        )
    if asked and len(test) > 1:
        names = ", ".join(path.name for path in test)
        raise QuestionError(
            f"{files.root} has several batches, some without answers: {names}; leave the golden ones, or one of the"
            " others, since each is submitted alone."
        )
    tested = [question for path in test for question in _bioasq_questions(files, path, is_hidden=not golden)]
    return without_dev(_bioasq_questions(files, train[0], tested), tested)


def _pubmedqa_question(item: Item) -> Question:
    context = " ".join(text_of(text, "context") for text in list_of(item.fields.get("CONTEXTS"), "CONTEXTS"))
    answer = _decision(item.fields.get("final_decision"), YES_NO_MAYBE)
    return make_question(text_of(item.record, "id"), item.text("QUESTION"), YES_NO_MAYBE, answer, context)


def _bioasq_questions(
    files: QuestionFiles, path: Path, tested: Collection[Question] = (), is_hidden: bool = False
) -> list[Question]:
    entries = files.json_object(path).get("questions")
    if not isinstance(entries, list):
        raise QuestionError(f'{path} is no JSON object with a list "questions"; check that it is a file of task b.')
    items = files.items(path.name, _yes_no(files, entries, tested))
    return (files.hidden_test if is_hidden else files.questions)(items, _bioasq_question)


def _yes_no(files: QuestionFiles, entries: list[Any], tested: Collection[Question]) -> Iterator[tuple[int | str, Any]]:
    # Later training sets hold the batches of earlier years, some of their questions by other ids.
    ids = {question.question_id for question in tested}
    bodies = {question.question.lower() for question in tested}
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, dict) and entry.get("type") in ("factoid", "list", "summary"):
            files.tally.count(other_kinds=1)
        elif isinstance(entry, dict) and (
            str(entry.get("id")) in ids or str(entry.get("body")).strip().lower() in bodies
        ):
            files.tally.count(also_in_test=1)
        else:
            yield number, entry


def _bioasq_question(item: Item) -> Question:
    if item.fields.get("type") != "yesno":
        raise MalformedItemError(f"its type {item.fields.get('type')!r} is unknown")
    snippets = list_of(item.fields.get("snippets") or [], "snippets")
    if not all(isinstance(snippet, dict) for snippet in snippets):
        raise MalformedItemError("one of its snippets is no JSON object")
    texts = [snippet.get("text") for snippet in snippets]
    # Where a snippet's text was lost, its question still has the others.
    context = " ".join(text_of(text, "text of a snippet") for text in texts if str(text or "").strip())
    answer = item.fields.get("exact_answer")
    # Some years give the answer as a list of one.
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    position = None if answer is None else _decision(answer, YES_NO)
    return make_question(item.identifier("id"), item.text("body"), YES_NO, position, context)


def _decision(answer: Any, decisions: tuple[str, ...]) -> int:
    # Some are written "Yes" or "yes.".
    text = answer.strip().rstrip(".").lower() if isinstance(answer, str) else None
    if text not in decisions:
        raise MalformedItemError(f"its answer {answer!r} is none of {', '.join(decisions)}")
    return decisions.index(text)
