"""The knowledge sources: what each is read with."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from dragon_core.artifacts import Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.graph.build import GraphTables
from dragon_core.graph.conceptnet.assertions import ConceptNetParams, read_conceptnet
from dragon_core.graph.conceptnet.version4 import ConceptNet4Params, read_conceptnet4
from dragon_core.graph.obo.params import OboParams
from dragon_core.graph.obo.source import read_obo
from dragon_core.graph.triples import TriplesParams, read_triples
from dragon_core.graph.umls.params import UmlsParams
from dragon_core.graph.umls.source import read_umls
from dragon_core.graph.wordnet.lifting import WordNetParams, read_wordnet_graph

GraphParams = Annotated[
    WordNetParams | ConceptNetParams | ConceptNet4Params | TriplesParams | UmlsParams | OboParams,
    Field(discriminator="source"),
]


def read_source(root: Path, params: GraphParams, writer: Writer, progress: Progress) -> GraphTables:
    """Read a knowledge source.

    Args:
        root: Its file or folder.
        params: Which source it is, and its options.
        writer: Takes rejects and counts; `records` are those that were read, good and bad.
        progress: Told of how far it is.

    Raises:
        GraphError: Its files are missing, or have another form.
    """
    match params:
        case WordNetParams():
            return read_wordnet_graph(root, writer, progress)
        case ConceptNetParams():
            return read_conceptnet(root, params, writer, progress)
        case ConceptNet4Params():
            return read_conceptnet4(root, params, writer, progress)
        case TriplesParams():
            return read_triples(root, params, writer, progress)
        case UmlsParams():
            return read_umls(root, params, writer, progress)
        case OboParams():
            return read_obo(root, params, writer, progress)
