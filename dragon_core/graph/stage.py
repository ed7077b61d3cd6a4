"""The stages that make a knowledge graph: from a source, and from two graphs."""

from typing import ClassVar

from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Parameters, Progress, Stage
from dragon_core.graph.build import write_graph
from dragon_core.graph.combination import combine, read_tables
from dragon_core.graph.report import write_report
from dragon_core.graph.sources import GraphParams, read_source
from dragon_core.graph.wordnet.lifting import WordNetParams


class BuildGraph(Stage):
    """Reads a knowledge source and writes its graph: tables and adjacency arrays."""

    name: ClassVar[str] = "graph"
    version: ClassVar[int] = 2

    source: ExternalFiles
    params: GraphParams = WordNetParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Make the graph.

        Raises:
            GraphError: The source's files are missing, have another form, or hold no edge.
            TooManyRejectsError: Too many of the source's records could not be used.
        """
        tables = read_source(self.source.root, self.params, draft, progress)
        draft.check_rejects(draft.counts["records"], self.params.max_reject_share)
        write_report(draft, write_graph(draft, tables), tables)


class CombinationParams(Parameters):
    """Graphs are combined in one way."""


class CombineGraphs(Stage):
    """One graph of two: nodes of the same key, and relations of the same name, are the same."""

    name: ClassVar[str] = "graph"
    version: ClassVar[int] = 2

    first: ArtifactReference
    second: ArtifactReference
    params: CombinationParams = CombinationParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Make the graph."""
        tables = combine(read_tables(inputs.first.folder), read_tables(inputs.second.folder))
        write_report(draft, write_graph(draft, tables), tables)
