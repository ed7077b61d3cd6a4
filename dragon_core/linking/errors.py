"""What can go wrong in linking."""

from dragon_core.errors import DragonError


class LinkingError(DragonError):
    """A text or a linker's artifact cannot be used."""
