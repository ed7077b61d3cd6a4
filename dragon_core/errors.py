"""The error every part of the system raises when its user can do something about it."""


class DragonError(Exception):
    """A failure the user can act on.

    The message is one sentence (or a few) that says what was wrong, where, and what to do. The command line
    prints it alone and exits with status 1; `--debug` adds the stack trace.
    """
