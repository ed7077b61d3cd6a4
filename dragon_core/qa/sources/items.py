"""An item of a question set, as its file has it, and how fields are taken out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dragon_core.qa.question import Question

MOST_CHOICES = 127


class MalformedItemError(Exception):
    """An item is no question; the message says why, after "it" or "its"."""


@dataclass(frozen=True)
class Item:
    """An item and where it stands.

    Attributes:
        source: Name of its file.
        record: Its line from 1, or its key or number in files that are not read by line.
        fields: What it holds.
    """

    source: str
    record: int | str
    fields: dict[str, Any]

    def text(self, name: str) -> str:
        """A field that must hold text, stripped.

        Raises:
            MalformedItemError: It is missing, empty or something else.
        """
        return text_of(self.fields.get(name), name)

    def optional_text(self, name: str) -> str:
        """A field that may be missing, null or empty; then it is empty text."""
        value = self.fields.get(name)
        return "" if value is None or value == "" else text_of(value, name)

    def identifier(self, name: str) -> str:
        """A field that must hold text or a whole number, as text."""
        value = self.fields.get(name)
        return str(value) if type(value) is int else text_of(value, name)


def text_of(value: Any, name: str) -> str:
    """A value that must be text, stripped.

    Raises:
        MalformedItemError: It is empty, or no text; the message calls it `name`.
    """
    if not isinstance(value, str) or not value.strip():
        raise MalformedItemError(f"its {name} is no text, or empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise MalformedItemError(f"its {name} holds half a surrogate pair") from None
    return value.strip()


def list_of(value: Any, name: str) -> list[Any]:
    """A value that must be a list.

    Raises:
        MalformedItemError: It is none; the message calls it `name`.
    """
    if not isinstance(value, list):
        raise MalformedItemError(f"its {name} are no list")
    return value


def make_question(
    question_id: str,
    question: str,
    choices: Sequence[str],
    answer: int | None,
    context: str = "",
    labels: Sequence[str] = (),
) -> Question:
    """A question whose choices are fit to be chosen from.

    Raises:
        MalformedItemError: There is one choice or none, far too many, or two of them have the same label.
    """
    if not 2 <= len(choices) <= MOST_CHOICES:
        raise MalformedItemError(f"it has {len(choices)} choices, where 2 to {MOST_CHOICES} can be read")
    if len(set(labels)) < len(labels):
        raise MalformedItemError(f"two of its choices have the same label: {', '.join(labels)}")
    return Question(question_id, question, list(choices), answer, context, list(labels))
