"""How a long computation tells its caller how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Receives (done, total) and numbers worth watching; called as often as is convenient, the receiver throttles."""

    def __call__(self, done: int, total: int, /, **numbers: float) -> None:
        """Report that `done` of `total` units are done; `numbers` are losses, rates and the like."""


def silent(done: int, total: int, /, **numbers: float) -> None:
    """Report to nobody."""
