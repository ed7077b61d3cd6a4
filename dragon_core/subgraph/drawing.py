"""Draws a subgraph."""

from pathlib import Path

import networkx as nx
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dragon_core.subgraph.errors import SubgraphError
from dragon_core.subgraph.inspection import TYPE_NAMES, ShownSubgraph
from dragon_core.subgraph.params import NodeType

COLORS = {NodeType.LINKED: "#1f77b4", NodeType.ANSWER: "#d62728", NodeType.OTHER: "#b0b0b0"}
FORMATS = (".svg", ".png", ".pdf")
# More names would cover one another.
NAMED_EDGES = 40
TITLE_LENGTH = 110


def draw_subgraph(subgraph: ShownSubgraph, path: Path) -> None:
    """Draw nodes and edges, linked nodes in blue, answer nodes in red.

    Args:
        subgraph: What to draw.
        path: File to write; its ending says in which format.

    Raises:
        SubgraphError: The ending is none of `.svg`, `.png` and `.pdf`.
    """
    if path.suffix not in FORMATS:
        ending = path.suffix or "a file without ending"
        raise SubgraphError(f"{path} is to be drawn as {ending}; end it in .svg or .png.")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Names and texts are no formulas.
    with rc_context({"text.parse_math": False}):
        _draw(subgraph).savefig(path, dpi=120)


def _draw(subgraph: ShownSubgraph) -> Figure:
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(subgraph.names)))
    graph.add_edges_from((head, tail, {"relation": relation}) for head, relation, tail in subgraph.edges)
    places = nx.spring_layout(graph, seed=0, k=1.5 / max(len(graph), 1) ** 0.5)
    side = 6 + len(graph) ** 0.5
    figure = Figure(figsize=(1.4 * side, side), layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_title(subgraph.text[:TITLE_LENGTH] + ("…" if len(subgraph.text) > TITLE_LENGTH else ""), fontsize=10)
    nx.draw_networkx_edges(graph, places, ax=axes, alpha=0.35, width=0.7, arrowsize=7, node_size=60)
    colors = [COLORS[kind] for kind in subgraph.types]
    nx.draw_networkx_nodes(graph, places, ax=axes, node_color=colors, node_size=60)
    nx.draw_networkx_labels(graph, places, dict(enumerate(subgraph.names)), ax=axes, font_size=7)
    if len(subgraph.edges) <= NAMED_EDGES:
        names = {(head, tail): relation for head, relation, tail in subgraph.edges}
        nx.draw_networkx_edge_labels(nx.DiGraph(graph), places, names, ax=axes, font_size=6)
    shown = [kind for kind in NodeType if kind in subgraph.types]
    handles = [Line2D([], [], marker="o", linestyle="", color=COLORS[k], label=TYPE_NAMES[k]) for k in shown]
    if handles:
        axes.legend(handles=handles, loc="lower left", fontsize=8)
    return figure
