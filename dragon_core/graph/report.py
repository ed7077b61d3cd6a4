"""The page on a graph, for people: degrees, components, relations and hubs, with a picture."""

import base64
from io import BytesIO

import numpy as np
import pyarrow as pa

from dragon_core.artifacts.draft import SUMMARY_NAME, Writer
from dragon_core.graph.build import GraphTables
from dragon_core.graph.knowledge_graph import Adjacency
from dragon_core.graph.statistics import GraphStatistics

HUBS = 20
RELATIONS_IN_PICTURE = 30
RELATIONS_IN_TABLE = 100


def write_report(writer: Writer, adjacency: Adjacency, tables: GraphTables) -> None:
    """Write `summary.md`, which is the graph's page in the Prefect UI."""
    statistics = GraphStatistics.of(adjacency, len(tables.relations))
    with writer.writing(SUMMARY_NAME) as path:
        path.write_text(report_markdown(statistics, tables), encoding="utf-8")


def report_markdown(statistics: GraphStatistics, tables: GraphTables) -> str:
    """The page in Markdown; its picture is inline, so that it is one file."""
    degrees, components = statistics.degrees, statistics.component_sizes
    names = [relation.name for relation in tables.relations]
    largest = int(components[:1].sum())
    hubs = statistics.most_connected(HUBS)
    hub_names = tables.nodes["name"].take(pa.array(hubs, pa.int64())).to_pylist()
    relations = sorted(
        zip(statistics.edges_of_relations.tolist(), names, strict=True), key=lambda row: (-row[0], row[1])
    )
    lines = [
        "## Graph",
        "",
        "| | |",
        "| --- | ---: |",
        f"| edges a node, mean | {degrees.mean():.2f} |",
        f"| median, 90% have at most, most | {_quantiles(degrees)} |",
        f"| nodes without an edge | {statistics.isolated_nodes:,} of {len(degrees):,} |",
        f"| components of two nodes or more | {len(components):,} |",
        f"| nodes of the largest | {largest:,} ({largest / max(len(degrees), 1):.1%}) |",
        "",
        f"![degrees and relations](data:image/png;base64,{base64.b64encode(_picture(statistics, names)).decode()})",
        "",
        "| relation | edges |",
        "| --- | ---: |",
        *(f"| {_cell(name)} | {count:,} |" for count, name in relations[:RELATIONS_IN_TABLE]),
        *([f"| and {len(relations) - RELATIONS_IN_TABLE} more | |"] if len(relations) > RELATIONS_IN_TABLE else []),
        "",
        "| most connected | edges |",
        "| --- | ---: |",
        *(f"| {_cell(name)} | {degrees[node]:,} |" for node, name in zip(hubs, hub_names, strict=True)),
        "",
    ]
    return "\n".join(lines)


def _quantiles(degrees: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    return ", ".join(f"{int(value):,}" for value in np.quantile(degrees, [0.5, 0.9, 1], method="lower"))


def _picture(statistics: GraphStatistics, names: list[str]) -> bytes:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    by_degree, by_relation = figure.subplots(1, 2)
    degrees, counts = np.unique(statistics.degrees[statistics.degrees > 0], return_counts=True)
    at_least = counts[::-1].cumsum()[::-1]
    by_degree.loglog(degrees, at_least, ".", color="tab:blue")
    by_degree.set(title="Nodes with at least so many edges", xlabel="edges at a node", ylabel="nodes")
    by_degree.grid(alpha=0.3)
    order = np.argsort(-statistics.edges_of_relations, kind="stable")[:RELATIONS_IN_PICTURE][::-1]
    by_relation.barh([names[i][:40] for i in order], statistics.edges_of_relations[order], color="tab:orange")
    by_relation.set(title="Edges by relation", xlabel="edges")
    by_relation.tick_params(axis="y", labelsize=7)
    buffer = BytesIO()
    # Names of relations are no formulas.
    with rc_context({"text.parse_math": False}):
        figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
