"""Reads ontologies, and annotations beside them, as a graph of terms, diseases and genes."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from dragon_core.artifacts import Progress
from dragon_core.artifacts.draft import Writer
from dragon_core.graph.build import GraphTables
from dragon_core.graph.delimited import matching_files
from dragon_core.graph.keyed import edges_of_files, tables_of_keys
from dragon_core.graph.obo.annotations import DISEASES, GENES, Annotations
from dragon_core.graph.obo.params import OboParams
from dragon_core.graph.obo.terms import Ontology
from dragon_core.graph.relations import RelationTable
from dragon_core.graph.schema import NODES

PATTERN = "*.obo*"


def read_obo(root: Path, params: OboParams, writer: Writer, progress: Progress) -> GraphTables:
    """Read the terms that are not obsolete, and the annotations.

    Args:
        root: An OBO file, or a folder with one or more, and perhaps with HPO's annotation tables.
        params: What to read.
        writer: Takes rejects and counts.
        progress: Told of the files read.

    Raises:
        GraphError: There is no OBO file, or a file has another form.
    """
    files = matching_files(root, PATTERN)
    ontology, annotations = Ontology(params, writer), Annotations(writer)
    tables = [path for name in (DISEASES, GENES) for path in sorted(root.glob(f"{name}*"))] if root.is_dir() else []

    def edges_of(path: Path) -> Iterable[pl.DataFrame]:
        if path not in tables:
            return ontology.read(path)
        if path.name.startswith(DISEASES):
            return annotations.read_diseases(path)
        return annotations.read_genes(path)

    files += tables
    edges = edges_of_files(files, edges_of, writer, progress)
    names = {relation: ontology.name_of_relation(relation) for relation in edges["relation"].unique()}
    inverses = {
        ontology.name_of_relation(relation): ontology.name_of_relation(inverse)
        for relation, inverse in ontology.inverses.items()
    }
    ends = pl.col("head", "tail").replace(ontology.primary_ids())
    edges = edges.with_columns(ends, pl.col("relation").replace(names))
    packaged = RelationTable.packaged(__package__, merge="labels.csv")
    terms = pl.DataFrame(list(ontology.nodes.values()), schema=pl.DataFrame(pl.from_arrow(NODES.empty_table())).schema)
    nodes = pl.concat([terms, annotations.nodes()]).unique("key", keep="first", maintain_order=True)
    return tables_of_keys(nodes, edges, RelationTable.with_inverses(names.values(), inverses, packaged), files, writer)
