"""An explanation as one HTML page that needs nothing from outside."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from dragon_core.qa.explanation.drawing import draw
from dragon_core.qa.explanation.explaining import Explanation
from dragon_core.subgraph import NodeType

KINDS = {NodeType.LINKED: "question", NodeType.ANSWER: "choice", NodeType.OTHER: "other"}

# Differences below a point are not to look large.
SMALLEST_SCALE = 0.05
MINUS = "\N{MINUS SIGN}"


def explanation_page(explanation: Explanation) -> str:
    """The page: probabilities, each subgraph as a picture and in words, and what removing nodes changes.

    It is HTML with its style and pictures inside, without a script; every text of question, choices and graph is
    escaped.
    """
    probabilities = explanation.answer.probabilities
    changes = [abs(r.probability - probabilities[graph.choice]) for graph in explanation.graphs for r in graph.removals]
    return _template().render(
        answer=explanation.answer,
        model=explanation.model,
        has_classes=explanation.has_classes,
        # Bars of all tables have one scale.
        largest_change=max([*changes, SMALLEST_SCALE]),
        minus=MINUS,
        graphs=[(graph, draw(graph)) for graph in explanation.graphs],
    )


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": _percent, "points": _points, "kind": KINDS.__getitem__}
    return environment.from_string(files(__package__).joinpath("page.html.jinja").read_text(encoding="utf-8"))


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _points(difference: float) -> str:
    """A difference of probabilities in points, with its sign."""
    points = round(100 * difference, 1)
    return "0.0" if points == 0 else f"{points:+.1f}".replace("-", MINUS)
