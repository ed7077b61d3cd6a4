"""Linked text for people."""

import re
from collections.abc import Sequence

from dragon_core.linking.mention import Mention

MARKUP = re.compile(r"([\\`*_\[\]<>#|~$&])")


def linked_text_markdown(text: str, mentions: Sequence[Mention], names: Sequence[str]) -> str:
    """The text with its mentions in bold; a node of another name than the span follows in brackets.

    Args:
        text: The text.
        mentions: Its mentions; of overlapping ones the first is shown.
        names: Name of each node.
    """
    parts, position = [], 0
    for mention in sorted(mentions, key=lambda m: (m.start, -m.end)):
        if mention.start < position:
            continue
        span = text[mention.start : mention.end]
        name = names[mention.node]
        parts += [_plain(text[position : mention.start]), f"**{_plain(span)}**"]
        parts += [] if span.lower() == name else [rf" \[{_plain(name)}\]"]
        position = mention.end
    return "".join([*parts, _plain(text[position:])])


def _plain(text: str) -> str:
    """The text with Markdown's characters escaped."""
    return MARKUP.sub(r"\\\1", text)
