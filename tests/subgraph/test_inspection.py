from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.image import imread

from dragon_core.artifacts import ArtifactStore
from dragon_core.artifacts.errors import ArtifactNotFoundError
from dragon_core.subgraph import NodeType, SubgraphError
from dragon_core.subgraph.drawing import draw_subgraph
from dragon_core.subgraph.inspection import read_subgraph
from tests.subgraph.test_stage import Prepared


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return Prepared(ArtifactStore(str(tmp_path / "store"))).subgraphs("degree").path("part-00000.parquet")


def test_a_row_is_shown_in_words(shard: Path) -> None:
    shown = read_subgraph(str(shard), 0)
    assert shown.text == "A dog chased two cats."
    assert shown.names[:2] == ["dog", "cat"]
    assert shown.types == [NodeType.LINKED] * 2 + [NodeType.OTHER] * 4
    assert "dog is a animal" in shown.sentences
    assert (0, "at", shown.names.index("toy")) in shown.edges
    assert "  linked  1.000  dog" in shown.lines
    assert "8 edges" in shown.lines
    assert read_subgraph(str(shard.parents[1] / "latest" / shard.name), 0) == shown
    assert read_subgraph(str(shard), 1).lines[:3] == ["Nothing to see here.", "", "0 nodes"]


def test_a_subgraph_is_drawn(shard: Path, tmp_path: Path) -> None:
    for row in (0, 1):
        draw_subgraph(read_subgraph(str(shard), row), tmp_path / f"{row}.png")
    drawn, empty = (imread(tmp_path / f"{row}.png")[..., :3] for row in (0, 1))
    blue = [0x1F / 255, 0x77 / 255, 0xB4 / 255]
    assert (abs(drawn - blue).max(-1) < 0.02).sum() > 100
    assert (abs(empty - blue).max(-1) < 0.02).sum() == 0
    draw_subgraph(read_subgraph(str(shard), 0), tmp_path / "drawn.svg")
    assert "<svg" in (tmp_path / "drawn.svg").read_text()
    with pytest.raises(SubgraphError, match=r"drawn as \.xyz; end it in \.svg or \.png"):
        draw_subgraph(read_subgraph(str(shard), 0), tmp_path / "drawn.xyz")


def test_what_cannot_be_shown_is_said(shard: Path, tmp_path: Path) -> None:
    with pytest.raises(SubgraphError, match="has 2 rows, counted from 0, and no row 2"):
        read_subgraph(str(shard), 2)
    with pytest.raises(ArtifactNotFoundError, match=r"has no file none\.parquet"):
        read_subgraph(str(shard.with_name("none.parquet")), 0)
    with pytest.raises(ArtifactNotFoundError, match="fits 0 artifacts"):
        read_subgraph(str(tmp_path / "no" / "store" / "none.parquet"), 0)
    for path in ("/tmp.parquet", "README.md", str(shard.parent)):
        with pytest.raises(SubgraphError, match=r"is no shard in a store; give STORE/subgraphs/KEY/NAME\.parquet"):
            read_subgraph(path, 0)
    graph = next((shard.parents[2] / "graph").iterdir())
    with pytest.raises(SubgraphError, match=r"holds no subgraphs: no column text"):
        read_subgraph(str(graph / "nodes.parquet"), 0)


def test_what_looks_like_a_formula_is_drawn_as_it_is(shard: Path, tmp_path: Path) -> None:
    shown = read_subgraph(str(shard), 0)
    odd = replace(shown, text=r"50\% of $a\foo b$", names=["$a^$", *shown.names[1:]])
    draw_subgraph(odd, tmp_path / "odd.png")
    assert (tmp_path / "odd.png").stat().st_size > 1000
