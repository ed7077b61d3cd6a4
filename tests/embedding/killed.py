"""A program that embeds a graph's nodes, to be killed: python -m tests.embedding.killed STORE."""

import sys

from dragon_core.artifacts import ArtifactStore, Draft, Inputs, Parameters, Progress, Stage, make
from dragon_core.embedding import EmbedNodes, EntityTableParams, nodes
from dragon_core.embedding.encoder import find_encoder
from dragon_core.graph import Relation, write_graph
from tests.graph.graphs import tables_of

NUMBER = 600


class Houses(Stage):
    name = "graph"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        names = [f"the old house number {node} of the {'long ' * (node % 7)}street" for node in range(NUMBER)]
        write_graph(draft, tables_of(names, [Relation("is a", "{head} is a {tail}")], [(1, 0, 0)]))


def stage_in(store: ArtifactStore) -> EmbedNodes:
    graph = make(Houses(), store).reference
    return EmbedNodes(graph=graph, encoder=find_encoder("embedded"), params=EntityTableParams(batch_size=4))


def main(store_url: str) -> None:
    nodes.BATCHES_BETWEEN_SAVES = 10
    store = ArtifactStore(store_url)

    def progress(done: int, total: int, /, **numbers: float) -> None:
        print(done, flush=True)

    make(stage_in(store), store, progress)


if __name__ == "__main__":
    main(*sys.argv[1:])
