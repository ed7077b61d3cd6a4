"""A question, whatever it was read from."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """A question with choices.

    Attributes:
        question_id: Names it.
        question: Its text.
        choices: What may be the answer.
        answer: Position of the right choice; None if it is not known, as in hidden tests.
        context: A text to answer from; empty if there is none.
        labels: What the source calls its choices, such as A to E; empty if it does not name them.
    """

    question_id: str
    question: str
    choices: list[str]
    answer: int | None
    context: str = ""
    labels: list[str] = field(default_factory=list)


def text_with_context(question: str, context: str) -> str:
    """What is read, and linked, before a choice; a text that is too long loses the end of its context."""
    return f"{question} {context}".strip()
