"""Linked text for people."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from dragon_core.linking.mention import Mention

MARKUP = re.compile(r"([\\`*_\[\]<>#|~$&])")


def pieces(text: str, mentions: Sequence[Mention]) -> Iterator[tuple[str, list[int]]]:
    """The text piece by piece, each with the nodes it is linked to, the best first.

    Args:
        text: The text.
        mentions: Its mentions; of overlapping spans the first and longest is shown.
    """
    position = 0
    in_order = sorted(mentions, key=lambda m: (m.start, -m.end, -m.score))
    for (start, end), candidates in groupby(in_order, key=lambda m: (m.start, m.end)):
        if start >= position:
            yield text[position:start], []
            yield text[start:end], [mention.node for mention in candidates]
            position = end
    yield text[position:], []


def linked_text_markdown(text: str, mentions: Sequence[Mention], names: Sequence[str]) -> str:
    """The text with its mentions in bold; nodes of another name than the span follow in brackets.

    Args:
        text: The text.
        mentions: Its mentions; of overlapping spans the first and longest is shown.
        names: Name of each node.
    """
    parts = []
    for piece, nodes in pieces(text, mentions):
        found = [names[node] for node in nodes]
        parts.append(f"**{plain_markdown(piece)}**" if nodes else plain_markdown(piece))
        parts += [rf" \[{plain_markdown(', '.join(found))}\]"] if found not in ([], [piece.lower()]) else []
    return "".join(parts)


def plain_markdown(text: str) -> str:
    """The text with Markdown's characters escaped."""
    return MARKUP.sub(r"\\\1", text)
