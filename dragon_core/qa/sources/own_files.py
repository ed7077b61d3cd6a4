"""One's own questions: `train.jsonl`, `dev.jsonl` and `test.jsonl`, with a JSON object on each line.

    {"id": "1", "question": "What barks?", "context": "...", "choices": ["a dog", "a cat"], "answer": 0}

`context` may be left out, and so may `answer` in test. An answer is a position from 0, or the text of a choice, or, if
no choice reads so, a letter: A the first choice.
"""

from typing import Literal

from dragon_core.qa.errors import QuestionError
from dragon_core.qa.question import Question
from dragon_core.qa.sources.answers import position_of_answer
from dragon_core.qa.sources.files import QuestionFiles
from dragon_core.qa.sources.items import Item, list_of, make_question, text_of
from dragon_core.qa.sources.params import QuestionSetParams
from dragon_core.qa.sources.splits import Splits


class OwnFilesParams(QuestionSetParams):
    """Files of one's own: train.jsonl, dev.jsonl, test.jsonl."""

    source: Literal["own"] = "own"


def read_own_files(files: QuestionFiles) -> Splits:
    """Read one's own questions.

    Raises:
        QuestionError: A file is missing, or is that of a published set.
    """
    train, dev, test = files.find(["train.jsonl", "dev.jsonl", "test.jsonl"])
    tested = files.questions(files.json_lines(test), _question, is_hidden=True)
    dev_questions = files.questions(files.json_lines(dev), _question)
    return Splits(files.questions(files.json_lines(train), _question), dev_questions, tested)


def _question(item: Item) -> Question:
    if isinstance(item.fields.get("question"), dict):
        raise QuestionError(
            f"{item.source} is no file of one's own: its questions are objects, as in published sets. Say as `source`"
            " which set it is."
        )
    choices = [text_of(choice, "choice") for choice in list_of(item.fields.get("choices"), "choices")]
    answer = position_of_answer(item.fields.get("answer"), choices)
    context = item.optional_text("context")
    return make_question(item.identifier("id"), item.text("question"), choices, answer, context)
