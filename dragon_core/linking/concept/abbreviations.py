"""Abbreviations that a text defines: Schwartz and Hearst's algorithm.

Schwartz and Hearst, A simple algorithm for identifying abbreviation definitions in biomedical text, Pacific Symposium
on Biocomputing 2003, pages 451-462.
"""

import re
from typing import NamedTuple

SHORT_LENGTHS = range(2, 11)
SHORT_WORDS = 2
# A parenthesis on one line, without another one in it.
PARENTHESIS = re.compile(r"\(([^()\[\]\n]{2,150})\)")
SEPARATOR = re.compile(r"[;,]\s|\s+(?:or|and)\s+")
SENTENCE_END = re.compile(r"[.!?;]\s+(?=[A-Z])|[()\[\]\n]")
WORD = re.compile(r"\S+")


class Abbreviation(NamedTuple):
    """A short form and what it stands for, as spans of a text.

    Attributes:
        short_start: First character of the short form.
        short_end: Character after its last.
        long_start: First character of the long form.
        long_end: Character after its last.
    """

    short_start: int
    short_end: int
    long_start: int
    long_end: int


def find_abbreviations(text: str) -> list[Abbreviation]:
    """Definitions `long form (short form)` and `short form (long form)` in a text, in order.

    A short form has two to ten characters, at most two words, a letter, and begins with a letter or digit (section 2.1
    of the paper).
    """
    found = []
    for parenthesis in PARENTHESIS.finditer(text):
        start = _sentence_start(text, parenthesis.start())
        parts = [part.strip() for part in SEPARATOR.split(parenthesis[1])]
        inside = next(filter(is_short_form, parts), "")
        if inside:
            begin = parenthesis.start(1) + parenthesis[1].index(inside)
            end = begin + len(inside)
            before = text[start : parenthesis.start()].rstrip()
            position = long_form_start(inside, _last_words(before, _longest(inside)))
            if position is not None:
                long_end = start + len(before)
                found.append(Abbreviation(begin, end, long_end - position, long_end))
        else:
            words = list(WORD.finditer(text, start, parenthesis.start()))
            if words and is_short_form(words[-1][0]):
                position = long_form_start(words[-1][0], parenthesis[1])
                if position == len(parenthesis[1]):
                    found.append(Abbreviation(*words[-1].span(), *parenthesis.span(1)))
    return found


def is_short_form(text: str) -> bool:
    """Whether a text has the form of an abbreviation."""
    return (
        len(text) in SHORT_LENGTHS
        and len(text.split()) <= SHORT_WORDS
        and text[0].isalnum()
        and any(character.isalpha() for character in text)
    )


def long_form_start(short: str, before: str) -> int | None:
    """How many of the last characters of `before` are the long form of `short`.

    Goes from the right to the left: each letter or digit of the short form must be found, in order, the first one at
    the beginning of a word (section 2.2 of the paper). Words of which each begins with a letter of the short form go
    before, so that `AAPC` is all of `attenuated adenomatous polyposis coli`.

    Args:
        short: The short form.
        before: The text before it.

    Returns:
        Length of the long form, or None where there is none.
    """
    position = _aligned(short, before, all_initials=True)
    if position is None:
        position = _aligned(short, before, all_initials=False)
    if position is None:
        return None
    # The whole of a hyphenated word belongs to the long form.
    start = max(before.rfind(" ", 0, position + 1) + 1, 0)
    start += len(before[start:]) - len(before[start:].lstrip("\"'"))
    long = before[start:]
    if len(long) <= len(short) or short.lower() in long.lower().split():
        return None
    return len(long)


def _aligned(short: str, before: str, all_initials: bool) -> int | None:
    """Where the first letter of the short form is found; `all_initials` asks each letter to begin a word."""
    position = len(before)
    for index in reversed(range(len(short))):
        letter = short[index].lower()
        if not letter.isalnum():
            continue
        inside = index > 0 and not all_initials
        position -= 1
        while position >= 0 and not (
            before[position].lower() == letter and (inside or position == 0 or not before[position - 1].isalnum())
        ):
            position -= 1
        if position < 0:
            return None
    return position


def _longest(short: str) -> int:
    """Words the long form may have: min(|A| + 5, 2 |A|), where |A| is the short form's number of characters."""
    return min(len(short) + 5, 2 * len(short))


def _last_words(text: str, count: int) -> str:
    words = list(WORD.finditer(text))
    return text[words[-count].start() :] if len(words) > count else text


def _sentence_start(text: str, end: int) -> int:
    """Where the sentence or clause begins that goes on at `end`."""
    start = 0
    for match in SENTENCE_END.finditer(text, max(end - 400, 0), end):
        start = match.end()
    return max(start, end - 400 if end > 400 and start == 0 else 0)
