"""Questions as JSON lines, answered one by one: a line that cannot be read is rejected alone."""

import codecs
import json
from collections.abc import Callable, Iterable, Iterator

from pydantic import BaseModel, ConfigDict, ValidationError

from dragon_core.errors import first_problem
from dragon_core.qa.answering import BATCH_SIZE, Answer, QuestionAnswerer
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.question import Question


class QuestionLine(BaseModel):
    """A question as a JSON object; what else stands in it is passed over."""

    model_config = ConfigDict(strict=True)

    id: str | int
    question: str
    context: str | None = None
    choices: list[str] = []


def answer_lines(
    answerer: QuestionAnswerer,
    lines: Iterable[bytes],
    reject: Callable[[int, str], None],
    batch_size: int = BATCH_SIZE,
) -> Iterator[str]:
    """A JSON line for each question, in their order: id, answer, position, probabilities.

    Args:
        answerer: The model.
        lines: A JSON object each with `id`, `question`, `choices` (may be left out for classes) and, if there is one,
            `context`; blank lines are passed over. They are taken as they are needed.
        reject: Told the number, from 1, of a line without a question that the model can answer, and the reason.
        batch_size: Questions of a batch.
    """
    for answer in answerer.answers(_questions(answerer, lines, reject), batch_size):
        yield _line(answer)


def _questions(
    answerer: QuestionAnswerer, lines: Iterable[bytes], reject: Callable[[int, str], None]
) -> Iterator[Question]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            read = QuestionLine.model_validate_json(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line)
            question = answerer.question(read.question, read.choices, read.context or "", str(read.id))
        except ValidationError as error:
            reject(number, first_problem(error))
        except QuestionError as error:
            reject(number, str(error))
        else:
            yield question


def _line(answer: Answer) -> str:
    told = {
        "id": answer.question.question_id,
        "answer": answer.text,
        "position": answer.position,
        "probabilities": [round(probability, 6) for probability in answer.probabilities],
    }
    return json.dumps(told, ensure_ascii=False)
