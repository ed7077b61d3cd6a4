"""How an answer names a choice."""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

from dragon_core.qa.sources.items import MalformedItemError


def position_of_label(label: Any, labels: Sequence[str]) -> int:
    """Position of the choice with a label; a number is taken for its digits.

    Raises:
        MalformedItemError: No choice has this label.
    """
    text = str(label).strip()
    if text not in labels:
        raise MalformedItemError(f"its answer {label!r} is none of its labels {', '.join(labels)}")
    return labels.index(text)


def position_of_answer(answer: Any, choices: Sequence[str]) -> int | None:
    """Position of the choice that an answer names, of choices without labels.

    A number is a position from 0, if it is not the text of another choice. A text is the choice that reads so; only if
    no choice does, it is a letter: A the first choice, B the second.

    Args:
        answer: The answer; None and empty text if it is not known.
        choices: The choices.

    Raises:
        MalformedItemError: It names no choice, or two.
    """
    if answer is None or answer == "":
        return None
    if type(answer) is int:
        if str(answer) in choices and choices.index(str(answer)) != answer:
            raise MalformedItemError(
                f"its answer {answer} is the text of one choice and the position of another; give the text as text"
            )
        if 0 <= answer < len(choices):
            return answer
        raise MalformedItemError(f"its answer {answer} is no position from 0 to {len(choices) - 1}")
    if not isinstance(answer, str):
        raise MalformedItemError(f"its answer {answer!r} is neither a number nor a text")
    text = answer.strip()
    if text in choices:
        if choices.count(text) > 1:
            raise MalformedItemError(f"its answer {text!r} is the text of two choices; give the position")
        return choices.index(text)
    if text in ascii_uppercase[: len(choices)] and len(text) == 1:
        return ascii_uppercase.index(text)
    raise MalformedItemError(f"its answer {text!r} is neither one of its choices nor a letter of one")
