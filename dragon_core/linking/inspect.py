"""Linked text for people."""

import re
from collections.abc import Sequence
from itertools import groupby

from dragon_core.linking.mention import Mention

MARKUP = re.compile(r"([\\`*_\[\]<>#|~$&])")


def linked_text_markdown(text: str, mentions: Sequence[Mention], names: Sequence[str]) -> str:
    """The text with its mentions in bold; nodes of another name than the span follow in brackets.

    Args:
        text: The text.
        mentions: Its mentions; of overlapping spans the first and longest is shown.
        names: Name of each node.
    """
    parts, position = [], 0
    in_order = sorted(mentions, key=lambda m: (m.start, -m.end, -m.score))
    for (start, end), candidates in groupby(in_order, key=lambda m: (m.start, m.end)):
        if start < position:
            continue
        span, found = text[start:end], [names[mention.node] for mention in candidates]
        parts += [plain_markdown(text[position:start]), f"**{plain_markdown(span)}**"]
        parts += [] if found == [span.lower()] else [rf" \[{plain_markdown(', '.join(found))}\]"]
        position = end
    return "".join([*parts, plain_markdown(text[position:])])


def plain_markdown(text: str) -> str:
    """The text with Markdown's characters escaped."""
    return MARKUP.sub(r"\\\1", text)
