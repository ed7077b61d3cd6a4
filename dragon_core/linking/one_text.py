"""Links one text to a graph of the store, to see by eye what is found."""

import json
from dataclasses import dataclass

from pydantic import ValidationError

from dragon_core.artifacts import Artifact, ArtifactStore, make
from dragon_core.errors import first_problem
from dragon_core.graph import KnowledgeGraph
from dragon_core.linking.errors import LinkingError
from dragon_core.linking.inspect import pieces
from dragon_core.linking.linkers import open_linker
from dragon_core.linking.mention import Mention
from dragon_core.linking.parameters import PARAMS
from dragon_core.linking.stage import BuildLinker


@dataclass(frozen=True)
class LinkedText:
    """A text with its mentions.

    Attributes:
        text: The text.
        mentions: Its mentions.
        graph: The graph they link to.
    """

    text: str
    mentions: list[Mention]
    graph: KnowledgeGraph

    @property
    def pieces(self) -> list[tuple[str, list[int]]]:
        """The text piece by piece, each with the nodes it is linked to."""
        return list(pieces(self.text, self.mentions))

    @property
    def lines(self) -> list[str]:
        """A line a mention: score, span, the node's name and key."""
        keys = self.graph.nodes["key"]
        return [
            f"{mention.score:.2f}  {self.text[mention.start : mention.end]}  ->  {self.graph.names[mention.node]}"
            f"  ({keys[mention.node]})"
            for mention in self.mentions
        ]

    @property
    def coverage(self) -> str:
        """How much is linked, in words."""
        spans = len({(mention.start, mention.end) for mention in self.mentions})
        nodes = len({mention.node for mention in self.mentions})
        return f"{spans} linked spans, {nodes} nodes of {self.graph.num_nodes:,}"


def link_text(store: ArtifactStore, linker: Artifact, text: str) -> LinkedText:
    """Link a text by a linker of the store.

    Raises:
        ArtifactNotFoundError: The store has lost the linker's graph.
    """
    graph = linker.manifest.inputs["graph"].reference
    assert graph is not None
    return LinkedText(text, open_linker(linker).link([text])[0], KnowledgeGraph.open(store.get(graph).folder))


def linker_of(store: ArtifactStore, graph: str, params: str) -> Artifact:
    """The linker of a graph; it is built if the store does not have it.

    Args:
        store: Where the graph lies.
        graph: Its reference, or the beginning of one.
        params: JSON of `LinkingParams`; the default method is the dictionary.

    Raises:
        LinkingError: The parameters are not valid.
        ArtifactNotFoundError: There is no such graph.
    """
    try:
        options = PARAMS.validate_python({"method": "dictionary"} | json.loads(params))
    except (ValueError, TypeError) as error:
        reason = first_problem(error) if isinstance(error, ValidationError) else f"they are not a JSON object ({error})"
        raise LinkingError(f"{params} are no parameters of linking: {reason}.") from error
    return make(BuildLinker(graph=store.resolve(graph).reference, params=options), store)
