"""Reads the Metathesaurus as a graph of its concepts."""

from pathlib import Path

from dragon_core.artifacts import Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.graph.build import GraphTables
from dragon_core.graph.schema import NODES
from dragon_core.graph.umls.concepts import read_definitions, read_names, read_types
from dragon_core.graph.umls.files import find_file, needed_file
from dragon_core.graph.umls.params import UmlsParams
from dragon_core.graph.umls.relationships import edges_of, read_inverses, read_relationships

STEPS = 4


def read_umls(root: Path, params: UmlsParams, writer: Writer, progress: Progress) -> GraphTables:
    """Read the wanted concepts and the relations between them.

    Args:
        root: Folder of MRCONSO, MRSTY, MRDEF and MRREL, or the one above; MRDOC is used if it is there.
        params: What to read.
        writer: Takes rejects and counts.
        progress: Told of the files read.

    Raises:
        GraphError: A file is missing or has another form, or nothing in it is wanted.
    """
    conso, types, definitions, relations = (needed_file(root, name) for name in ("MRCONSO", "MRSTY", "MRDEF", "MRREL"))
    names = read_names(conso, params, writer)
    progress(1, STEPS)
    concepts = read_types(types, names.concepts, params, writer)
    progress(2, STEPS)
    nodes = read_definitions(definitions, concepts, names.sources, params, writer)
    progress(3, STEPS)
    relationships = read_relationships(relations, nodes["key"], names.all_keys, params, writer)
    inverses = read_inverses(find_file(root, "MRDOC"), writer)
    edges, relation_types = edges_of(relationships, inverses, params, writer)
    progress(4, STEPS)
    return GraphTables(nodes.to_arrow().cast(NODES), relation_types, edges)
