"""Artifacts that pretraining reads, small and made by stages; and a program that pretrains, to be killed.

python -m tests.training.stages STORE ENCODER STEPS
"""

import sys
from pathlib import Path

import torch

from dragon_core.artifacts import (
    ArtifactReference,
    ArtifactStore,
    Draft,
    ExternalFiles,
    Inputs,
    Parameters,
    Progress,
    Stage,
    make,
)
from dragon_core.embedding import EmbedNodes
from dragon_core.graph import Relation, write_graph
from dragon_core.training import Execution, Pretrain, TrainingParams
from dragon_core.training.subgraphs import EDGE_COLUMNS, NODE_COLUMNS
from tests.graph.graphs import tables_of
from tests.training.shards import random_rows, table

RELATIONS = [
    Relation("is a", "{head} is a {tail}"),
    Relation("part of", "{head} is part of {tail}"),
    Relation("same as", "{head} is {tail}", symmetric=True),
]
SHARD_SIZES = (40, 24, 1)


class SmallGraphParams(Parameters):
    nodes: int = 50


class SmallGraph(Stage):
    name = "graph"
    version = 1
    params: SmallGraphParams = SmallGraphParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        names = [f"old house {i}" for i in range(self.params.nodes)]
        write_graph(draft, tables_of(names, RELATIONS, [(0, 0, 1), (1, 1, 2), (2, 2, 3)]))


class SmallSubgraphsParams(Parameters):
    seed: int = 0
    kept: str = "text and graph"


class SmallSubgraphs(Stage):
    name = "subgraphs"
    version = 1
    graph: ArtifactReference
    params: SmallSubgraphsParams = SmallSubgraphsParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        rows = random_rows(sum(SHARD_SIZES), self.params.seed)
        for row in rows:
            if self.params.kept == "graph":
                row["text"] = ""
            elif self.params.kept == "text":
                row.update({name: [] for name in NODE_COLUMNS + EDGE_COLUMNS})
        for number, size in enumerate(SHARD_SIZES):
            draft.write_table(f"part-{number:05}.parquet", table(rows[:size]))
            rows = rows[size:]


def pretrain_stage(store: ArtifactStore, encoder: Path, kept: str = "text and graph", **params: object) -> Pretrain:
    """A stage whose inputs are in the store; what is `kept` of its segments is their text, their graph, or both."""
    files = ExternalFiles.of("tiny", encoder)
    graph = make(SmallGraph(), store).reference
    settings = {
        "steps": 12,
        "batch_size": 8,
        "warmup_steps": 2,
        "node_size": 16,
        "interaction_size": 24,
        "num_negatives": 8,
        "max_length": 32,
        "evaluation_share": 0.15,
        "evaluation_interval": 5,
        "log_interval": 1,
    }
    execution = {name: params.pop(name) for name in list(params) if name in Execution.model_fields}
    return Pretrain(
        subgraphs=make(SmallSubgraphs(graph=graph, params=SmallSubgraphsParams(kept=kept)), store).reference,
        graph=graph,
        entity_table=make(EmbedNodes(graph=graph, encoder=files), store).reference,
        encoder=files,
        params=TrainingParams(**(settings | params)),
        execution=Execution(**({"num_threads": 1, "checkpoint_interval": 4} | execution)),
    )


def main(store_url: str, encoder: str, steps: str) -> None:
    """Pretrain and print a line a step."""
    store = ArtifactStore(store_url)

    def progress(done: int, total: int, /, **numbers: float) -> None:
        print(f"step {done}", flush=True)

    stage = pretrain_stage(store, Path(encoder), steps=int(steps))
    torch.set_num_threads(1)
    make(stage, store, progress)


if __name__ == "__main__":
    main(*sys.argv[1:])
