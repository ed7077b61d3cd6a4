"""The error every part of the system raises when its user can do something about it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class DragonError(Exception):
    """A failure the user can act on.

    The message is one sentence (or a few) that says what was wrong, where, and what to do. The command line
    prints it alone and exits with status 1; `--debug` adds the stack trace.
    """


def first_problem(error: "ValidationError") -> str:
    """The first thing that is wrong with what was validated: where, if it is a part of it, and what."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
