"""The page on a linked corpus, or a linked text, for people: how much is linked, to what, and what it looks like."""

from collections.abc import Iterable, Sequence

from dragon_core.linking.inspect import linked_text_markdown, plain_markdown
from dragon_core.linking.mention import Mention
from dragon_core.linking.statistics import LinkingStatistics

NODES_OF_A_TABLE = 20


def report_markdown(
    statistics: LinkingStatistics, sample: Iterable[tuple[str, list[Mention]]], names: Sequence[str]
) -> str:
    """The page in Markdown.

    Args:
        statistics: Counts over the whole corpus.
        sample: Some texts with their mentions.
        names: Name of each node.
    """
    found = statistics
    linked_nodes = int((found.mentions_of_nodes > 0).sum())
    lines = [
        "## Linking",
        "",
        "| | |",
        "| --- | ---: |",
        f"| segments with a mention | {found.coverage:.1%} of {found.segments:,} |",
        f"| linked spans a segment, mean | {found.spans / max(found.segments, 1):.2f} |",
        f"| median, 90% have at most | {found.spans_at(0.5)}, {found.spans_at(0.9)} |",
        f"| nodes a span | {found.mentions / max(found.spans, 1):.2f} |",
        f"| nodes that are linked | {linked_nodes:,} of {found.num_nodes:,} |",
        *(f"| mentions of score {score:.2f} | {found.scores[score]:,} |" for score in sorted(found.scores)[::-1]),
        "",
        *_table("Most linked", found, found.most(found.mentions_of_nodes, NODES_OF_A_TABLE), names),
        *_table("Most ambiguous", found, found.most(found.rivalled_of_nodes, NODES_OF_A_TABLE), names),
        "## Linked text",
        "",
    ]
    pages = [linked_text_markdown(text, mentions, names) for text, mentions in sample]
    return "\n".join(lines) + "\n" + "\n\n".join(pages) + "\n"


def _table(title: str, found: LinkingStatistics, nodes: Sequence[int], names: Sequence[str]) -> list[str]:
    if not nodes:
        return []
    rows = [
        f"| {plain_markdown(names[node])} | {found.mentions_of_nodes[node]:,} | {found.rivalled_of_nodes[node]:,} |"
        for node in nodes
    ]
    return [f"## {title}", "", "| node | mentions | of spans with several nodes |", "| --- | ---: | ---: |", *rows, ""]
