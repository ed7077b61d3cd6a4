import base64
import re

from markdown_it import MarkdownIt

from dragon_core.graph.build import adjacency_of, clean_edges
from dragon_core.graph.relations import Relation
from dragon_core.graph.report import report_markdown
from dragon_core.graph.statistics import GraphStatistics
from tests.graph.graphs import tables_of

RELATIONS = [
    Relation("part|of", "{head} {tail}"),
    Relation("is a", "{head} {tail}"),
    Relation("unused", "{head} {tail}"),
]


def report() -> str:
    tables = tables_of(["dog|cat", "animal", "tail", "a", "b", "alone"], RELATIONS, [(0, 1, 1), (2, 0, 0), (3, 1, 4)])
    adjacency = adjacency_of(tables.nodes.num_rows, clean_edges(tables))
    return report_markdown(GraphStatistics.of(adjacency, len(RELATIONS)), tables)


def test_the_page_tells_degrees_components_relations_and_hubs() -> None:
    html = MarkdownIt().enable("table").render(re.sub(r"\(data:[^)]*\)", "(picture)", report()))
    cells = re.sub(r"\s*<[^>]*>\s*", " ", html).split()
    text = " ".join(cells)
    assert "edges a node, mean 1.00" in text
    assert "median, 90% have at most, most 1, 1, 2" in text
    assert "nodes without an edge 1 of 6" in text
    assert "components of two nodes or more 2" in text
    assert "nodes of the largest 3 (50.0%)" in text
    assert "relation edges is a 2 part|of 1 unused 0" in text
    assert "most connected edges dog|cat 2 animal 1 tail 1 a 1 b 1" in text


def test_the_picture_is_inline_and_always_the_same() -> None:
    (picture,) = re.findall(r"data:image/png;base64,([^)]+)\)", report())
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert report() == report()
