"""The page is sound HTML that needs nothing from outside, and no text of it is taken for HTML."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from dragon_core.qa.explanation import explanation_page
from dragon_core.qa.explanation.drawing import shown_nodes
from tests.qa.explanation.examples import explanation_of, milk, read_graph

VOID = {"br", "meta"}


class Reader(HTMLParser):
    """Reads a page, and checks that what is opened is closed.

    Attributes:
        tags: Names of all elements.
        attributes: All (name, value).
        texts: What is written, without the style.
        open: Elements that are not closed.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(" ".join(data.split()))

    def has(self, text: str) -> bool:
        return any(text in written for written in self.texts)


def test_the_page_is_sound_and_needs_nothing_from_outside() -> None:
    page = explanation_page(milk())
    reader = Reader(page)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(reader.tags)
    assert {name for name, _ in reader.attributes} & {"src", "href", "srcset", "xlink:href"} == set()
    assert "://" not in page
    assert set(re.findall(r"url\((.)", page)) == {"#"}
    ids = [value for name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    labels = {value for name, value in reader.attributes if name == "aria-labelledby"}
    assert labels <= set(ids)


def test_it_tells_probabilities_pictures_paths_and_removals() -> None:
    explanation = milk()
    reader = Reader(explanation_page(explanation))
    assert (reader.tags.count("h1"), reader.tags.count("h3")) == (1, 3)
    for text in (
        "Where do you keep milk?",
        "Answer: fridge",
        "50.0%",
        "25.0%",
        "milk – fridge",
        "milk is found at fridge",
    ):
        assert reader.has(text), text
    assert reader.tags.count("table") == 1 + len(explanation.graphs)
    graph = explanation.graphs[0]
    hidden = len(graph.attention) - len(shown_nodes(graph.subgraph.types, graph.attention))
    assert hidden > 0
    assert reader.has(f"{hidden} with less attention are not shown.")
    assert reader.has("This choice names no concept of the graph.")
    assert reader.has("There is no path of up to three edges.")
    assert reader.has("\N{MINUS SIGN}")


def test_every_text_is_escaped() -> None:
    evil = "<script>alert('&\"')</script>"
    graph = read_graph(f"{evil} at x{evil}", [evil], [f"x{evil}"])
    explanation = explanation_of(evil, [f"a{evil}", f"b{evil}"], [graph, graph])
    answer = explanation.answer
    explanation = replace(explanation, answer=replace(answer, question=replace(answer.question, context=f"c{evil}")))
    page = explanation_page(explanation)
    reader = Reader(page)
    assert "script" not in reader.tags
    assert "<script" not in page
    for text in (evil, f"a{evil}", f"b{evil}", f"c{evil}", f"{evil} is found at x{evil}"):
        assert reader.has(" ".join(text.split())), text


def test_without_a_graph_it_says_so() -> None:
    reader = Reader(explanation_page(replace(milk(), graphs=[])))
    assert reader.has("This model has no graph network")
    assert reader.has("50.0%")
    assert "svg" not in reader.tags


def test_a_choice_whose_text_names_nothing_with_the_question_says_so() -> None:
    graphs = [read_graph("", [], []), read_graph("", [], ["b"])]
    reader = Reader(explanation_page(explanation_of("What?", ["a", "b"], graphs)))
    assert reader.has("Neither question nor choice names a concept of the graph")


def test_of_classes_the_question_is_explained_once() -> None:
    graph = read_graph("aspirin for pain; pain is symptom", ["aspirin", "pain"], [])
    explanation = replace(explanation_of("Does aspirin help?", ["yes", "no"], [graph]), has_classes=True)
    reader = Reader(explanation_page(explanation))
    assert reader.has("If a concept were missing: probability of \N{LEFT DOUBLE QUOTATION MARK}yes")
    assert not reader.has("Strongest paths")
    assert not reader.has("named in the choice")
