"""The stage that makes the knowledge graph."""

from typing import ClassVar, Literal

from pydantic import Field

from dragon_core.artifacts import Draft, ExternalFiles, Inputs, Parameters, Progress, Stage
from dragon_core.graph.build import write_graph
from dragon_core.graph.wordnet import read_wordnet
from dragon_core.graph.wordnet_graph import wordnet_graph


class GraphParams(Parameters):
    """What the graph is made of."""

    source: Literal["wordnet"] = Field("wordnet", description="Knowledge source: wordnet (its dictionary files)")
    max_reject_share: float = Field(
        0.01, ge=0, le=1, description="The stage fails when a larger share of the source's records cannot be read"
    )


class BuildGraph(Stage):
    """Reads a knowledge source and writes its graph: tables and adjacency arrays."""

    name: ClassVar[str] = "graph"
    version: ClassVar[int] = 1

    source: ExternalFiles
    params: GraphParams = GraphParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Make the graph."""
        wordnet = read_wordnet(self.source.root)
        tables, dangling = wordnet_graph(wordnet, progress)
        for reject in (*wordnet.rejects, *dangling):
            draft.reject(*reject)
        draft.check_rejects(len(wordnet.synsets) + len(wordnet.rejects), self.params.max_reject_share)
        write_graph(draft, tables)
