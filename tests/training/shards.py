"""Subgraph shards made by the tests, in the format of the real ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from dragon_core.training.subgraphs import Subgraphs

SCHEMA = pa.schema(
    [
        ("segment_id", pa.int64()),
        ("text", pa.string()),
        ("node_id", pa.list_(pa.int32())),
        ("node_type", pa.list_(pa.int8())),
        ("node_score", pa.list_(pa.float32())),
        ("head", pa.list_(pa.int16())),
        ("relation", pa.list_(pa.int16())),
        ("tail", pa.list_(pa.int16())),
    ]
)

Row = dict[str, object]
Triple = tuple[int, int, int]


def row(segment_id: int, text: str, node_ids: Sequence[int], types: Sequence[int], edges: Sequence[Triple]) -> Row:
    """One row of a shard; edges are (head, relation, tail) with positions in `node_ids`."""
    return {
        "segment_id": segment_id,
        "text": text,
        "node_id": list(node_ids),
        "node_type": list(types),
        "node_score": [1.0 / (1 + i) for i in range(len(node_ids))],
        "head": [h for h, _, _ in edges],
        "relation": [r for _, r, _ in edges],
        "tail": [t for _, _, t in edges],
    }


def table(rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


def random_rows(
    count: int, seed: int = 0, nodes: int = 12, edges: int = 30, words: int = 20, relations: int = 3, entities: int = 50
) -> list[Row]:
    """Segments of common English words with random subgraphs; every tenth has no linked node."""
    random = np.random.default_rng(seed)
    vocabulary = ["the", "river", "and", "unbelievable", "house,", "of", "antidisestablishmentarianism", "old", "hills"]
    rows = []
    for segment in range(count):
        text = " ".join(random.choice(vocabulary, random.integers(1, words + 1)))
        n = 0 if segment % 10 == 9 else int(random.integers(2, nodes + 1))
        ids = random.choice(entities, n, replace=False)
        kinds = np.where(np.arange(n) < max(n // 3, 1), 0, 2)
        pairs = random.integers(0, max(n, 1), (random.integers(0, edges + 1), 2)) if n else np.zeros((0, 2), int)
        triples = {(int(h), int(random.integers(relations)), int(t)) for h, t in pairs if h != t}
        rows.append(row(1000 + segment, text, ids.tolist(), kinds.tolist(), sorted(triples)))
    return rows


def write_shards(folder: Path, rows: Sequence[Row], sizes: Sequence[int]) -> list[Path]:
    """Write `rows` as shards of the given sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths, start = [], 0
    for number, size in enumerate(sizes):
        path = folder / f"part-{number:05}.parquet"
        pq.write_table(table(rows[start : start + size]), path, compression="zstd", row_group_size=7)
        paths.append(path)
        start += size
    assert start == len(rows)
    return paths


@st.composite
def subgraph_rows(draw: st.DrawFn, relations: int = 3) -> list[Row]:
    """A few subgraphs with parallel edges, edges both ways, self loops, and none at all."""
    rows = []
    for segment in range(draw(st.integers(1, 4))):
        n = draw(st.integers(0, 8))
        types = draw(st.lists(st.sampled_from([0, 1, 2]), min_size=n, max_size=n))
        node = st.integers(0, max(n - 1, 0))
        triple = st.tuples(node, st.integers(0, relations - 1), node)
        edges = draw(st.lists(triple, max_size=40 if n else 0, unique=True))
        ids = draw(st.lists(st.integers(0, 99), min_size=n, max_size=n, unique=True))
        rows.append(row(segment, "text", ids, types, edges))
    return rows


def subgraphs(rows: Sequence[Row]) -> Subgraphs:
    return Subgraphs.of_table(table(rows))
