"""One row of a shard of subgraphs, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow.parquet as pq

from dragon_core.artifacts import ArtifactStore
from dragon_core.graph import KnowledgeGraph
from dragon_core.subgraph.errors import SubgraphError
from dragon_core.subgraph.params import NodeType

COLUMNS = ("text", "node_id", "node_type", "node_score", "head", "relation", "tail")
TYPE_NAMES = {NodeType.LINKED: "linked", NodeType.ANSWER: "answer", NodeType.OTHER: "other"}


@dataclass(frozen=True)
class ShownSubgraph:
    """A text and its subgraph (n nodes, e edges), with the names that the graph has.

    Attributes:
        text: The text; of a question the question, then the choice.
        names: n names.
        types: n types.
        scores: n scores.
        edges: e (position of the head, relation, position of the tail), in the order of the shard.
        sentences: e edges in words.
    """

    text: str
    names: list[str]
    types: list[NodeType]
    scores: list[float]
    edges: list[tuple[int, str, int]]
    sentences: list[str]

    @classmethod
    def of(cls, record: Mapping[str, Any], graph: KnowledgeGraph) -> Self:
        """Name what stands in a row (`COLUMNS`), which may be one of a question.

        Args:
            record: The row.
            graph: The graph that it was made with.
        """
        names = [graph.names[node] for node in record["node_id"]]
        relations = [graph.relations[relation] for relation in record["relation"]]
        ends = list(zip(record["head"], relations, record["tail"], strict=True))
        question = record.get("question")
        return cls(
            text=f"{question} {record['text']}" if question else record["text"],
            names=names,
            types=[NodeType(kind) for kind in record["node_type"]],
            scores=record["node_score"],
            edges=[(head, relation.name, tail) for head, relation, tail in ends],
            sentences=[relation.template.format(head=names[head], tail=names[tail]) for head, relation, tail in ends],
        )

    @property
    def lines(self) -> list[str]:
        """The text, a line a node, a line an edge."""
        nodes = zip(self.types, self.scores, self.names, strict=True)
        return [
            self.text,
            "",
            f"{len(self.names)} nodes",
            *(f"  {TYPE_NAMES[kind]}  {score:.3f}  {name}" for kind, score, name in nodes),
            "",
            f"{len(self.edges)} edges",
            *(f"  {sentence}" for sentence in self.sentences),
        ]


def read_subgraph(shard: str, row: int) -> ShownSubgraph:
    """Read a row of a shard that lies in a store, and name its nodes by the graph it was made with.

    Args:
        shard: STORE/STAGE/KEY/NAME, a shard of `subgraphs` or `prepared-questions`; KEY may be the beginning of
            a key, or `latest`.
        row: From 0.

    Raises:
        SubgraphError: It holds no subgraphs, or has no such row.
        ArtifactNotFoundError: There is no such shard in a store, or the store has lost the graph.
    """
    located = shard if "://" in shard else str(Path(shard).absolute())
    store_url, stage, key, name = ["", "", "", *located.rsplit("/", 3)][-4:]
    if not store_url or not name.endswith(".parquet"):
        raise SubgraphError(f"{shard} is no shard in a store; give STORE/subgraphs/KEY/NAME.parquet.")
    store = ArtifactStore(store_url)
    artifact = store.resolve(f"{stage}/{key}")
    record = _row(artifact.path(name), row)
    graph = KnowledgeGraph.open(store.get(artifact.manifest.origin("graph")).folder)
    return ShownSubgraph.of(record, graph)


def _row(shard: Path, row: int) -> dict[str, Any]:
    with pq.ParquetFile(shard) as file:
        missing = [name for name in COLUMNS if name not in file.schema_arrow.names]
        if missing:
            raise SubgraphError(f"{shard} holds no subgraphs: no column {', '.join(missing)}; give another file.")
        if not 0 <= row < file.metadata.num_rows:
            raise SubgraphError(f"{shard} has {file.metadata.num_rows} rows, counted from 0, and no row {row}.")
        for group in range(file.num_row_groups):
            rows_of_group = file.metadata.row_group(group).num_rows
            if row < rows_of_group:
                break
            row -= rows_of_group
        found: dict[str, Any] = file.read_row_group(group).slice(row, 1).to_pylist()[0]
        return found
