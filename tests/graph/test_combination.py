from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.artifacts import ArtifactStore, ExternalFiles, make
from dragon_core.artifacts.draft import Draft
from dragon_core.artifacts.folder import Folder
from dragon_core.graph.build import GraphTables, write_graph
from dragon_core.graph.combination import combine, read_tables
from dragon_core.graph.knowledge_graph import KnowledgeGraph
from dragon_core.graph.relations import Relation
from dragon_core.graph.schema import EDGES, NODES
from dragon_core.graph.stage import BuildGraph, CombineGraphs
from dragon_core.graph.triples import TriplesParams
from tests.graph.graphs import tables_of

words = st.text("abc", min_size=1, max_size=2)


@st.composite
def random_graphs(draw: st.DrawFn) -> GraphTables:
    keys = draw(st.lists(words, min_size=1, max_size=6, unique=True))
    nodes = [
        {
            "key": key,
            "name": draw(words),
            "aliases": draw(st.lists(words, max_size=3)),
            "description": draw(st.sampled_from(["", "one", "two"])),
            "types": draw(st.lists(words, max_size=2)),
        }
        for key in keys
    ]
    names = draw(st.lists(st.sampled_from(["is a", "part of", "like"]), min_size=1, max_size=3, unique=True))
    relations = [Relation(name, f"{draw(words)} {{head}} {{tail}}") for name in names]
    node, relation = st.integers(0, len(keys) - 1), st.integers(0, len(names) - 1)
    edge = st.fixed_dictionaries({"head": node, "relation": relation, "tail": node, "weight": st.just(1.0)})
    edges = draw(st.lists(edge, max_size=10))
    return GraphTables(pa.Table.from_pylist(nodes, NODES), relations, pa.Table.from_pylist(edges, EDGES))


def named_edges(tables: GraphTables) -> list[tuple[str, str, str]]:
    keys = tables.nodes["key"].to_pylist()
    return sorted(
        (keys[row["head"]], tables.relations[row["relation"]].name, keys[row["tail"]])
        for row in tables.edges.to_pylist()
    )


@given(random_graphs(), random_graphs())
def test_combining_is_what_it_is_with_dictionaries(first: GraphTables, second: GraphTables) -> None:
    combined = combine(first, second)
    expected = {row["key"]: row for row in first.nodes.to_pylist()}
    for row in second.nodes.to_pylist():
        own = expected.setdefault(row["key"], row)
        if own is not row:
            own["description"] = own["description"] or row["description"]
            own["aliases"] = [*own["aliases"], *row["aliases"], row["name"]]
            own["types"] = [*own["types"], *row["types"]]
    found = {row["key"]: row for row in combined.nodes.to_pylist()}
    assert list(found) == sorted(expected)
    for key, row in found.items():
        assert (row["name"], row["description"]) == (expected[key]["name"], expected[key]["description"])
        aliases = list(dict.fromkeys(expected[key]["aliases"]))
        assert sorted(row["aliases"]) == sorted(alias for alias in aliases if alias != row["name"])
        assert row["types"] == list(dict.fromkeys(expected[key]["types"]))
    assert named_edges(combined) == sorted(named_edges(first) + named_edges(second))
    known = {r.name: r for r in second.relations} | {r.name: r for r in first.relations}
    assert {r.name: r for r in combined.relations} == known
    assert len(combined.relations) == len(known)
    assert combined.nodes.schema == NODES
    assert combined.edges.schema == EDGES


def test_aliases_of_the_first_graph_come_first() -> None:
    first = tables_of(["x"], [], [])
    columns = {"key": ["x"], "name": ["X"], "aliases": [["b", "a"]], "description": [""], "types": [["t"]]}
    other = columns | {"name": ["Z"], "aliases": [["c", "a"]], "types": [["s", "t"]]}
    graphs = [GraphTables(pa.table(c, NODES), first.relations, first.edges) for c in (columns, other)]
    (row,) = combine(*graphs).nodes.to_pylist()
    assert (row["aliases"], row["types"]) == (["b", "a", "c", "Z"], ["t", "s"])


def test_tables_are_read_as_they_were_written(tmp_path: Path) -> None:
    tables = tables_of(["a", "b"], [Relation("like", "{head} {tail}", True)], [(0, 0, 1)])
    write_graph(Draft(Folder(fsspec.filesystem("file"), str(tmp_path)), []), tables)
    read = read_tables(tmp_path)
    assert read.nodes.equals(tables.nodes)
    assert read.edges.equals(tables.edges)
    assert read.relations == tables.relations


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(str(tmp_path / "store"))


def test_the_stage_combines_two_artifacts(tmp_path: Path, store: ArtifactStore) -> None:
    references = []
    for name, row in (("one", "dog\tIsA\tanimal"), ("two", "dog\tis_a\tpet")):
        path = tmp_path / f"{name}.tsv"
        path.write_text(f"head\trelation\ttail\n{row}\n")
        stage = BuildGraph(source=ExternalFiles.of(name, path), params=TriplesParams())
        references.append(make(stage, store).reference)
    artifact = make(CombineGraphs(first=references[0], second=references[1]), store)
    graph = KnowledgeGraph.open(artifact.folder)
    assert graph.names == ["animal", "dog", "pet"]
    assert graph.neighbours(1).tolist() == [0, 2]
    assert [relation.name for relation in graph.relations] == ["is a"]
    assert "summary.md" in {file.name for file in artifact.manifest.files}
