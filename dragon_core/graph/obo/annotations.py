"""The annotation tables of the Human Phenotype Ontology: phenotypes of diseases, and of genes.

`phenotype.hpoa` has a row for each phenotype of a disease, after lines that begin with `#`. `genes_to_phenotype.txt`
has one for each phenotype of a gene, and tells by which disease. Both name their columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from dragon_core.artifacts.draft import Writer
from dragon_core.graph.delimited import read_header
from dragon_core.graph.errors import GraphError
from dragon_core.graph.keyed import complete_nodes, without_empty
from dragon_core.graph.tabular import read_columns
from dragon_core.graph.text_stream import open_utf8

DISEASES = "phenotype.hpoa"
GENES = "genes_to_phenotype.txt"
TAB = "\t"
# Phenotype, inheritance, clinical course, clinical modifier, past medical history.
ASPECTS = ("P", "I", "C", "M", "H")
DISEASE_COLUMNS = {
    "disease": "database_id",
    "name": "disease_name",
    "qualifier": "qualifier",
    "phenotype": "hpo_id",
    "aspect": "aspect",
}
GENE_COLUMNS = {"gene": "ncbi_gene_id", "symbol": "gene_symbol", "phenotype": "hpo_id"}
DISEASE_OF_GENE = "disease_id"
NO_DISEASE = "-"


@dataclass
class Annotations:
    """Reads the tables, and gathers the diseases and genes that they name.

    Attributes:
        writer: Takes rejects and counts.
    """

    writer: Writer
    _nodes: list[pl.DataFrame] = field(default_factory=list)

    def nodes(self) -> pl.DataFrame:
        """A row for each disease and gene, sorted by key: the columns of `schema.NODES`."""
        empty = pl.DataFrame(schema={"key": pl.String, "name": pl.String, "types": pl.List(pl.String)})
        named_first = pl.concat([empty, *self._nodes]).sort(pl.col("name") == "", maintain_order=True)
        return complete_nodes(named_first.unique("key", keep="first", maintain_order=True).sort("key"))

    def read_diseases(self, path: Path) -> Iterator[pl.DataFrame]:
        """Edges from diseases to phenotypes; rows that deny one are counted as `denied`.

        Yields:
            head, relation (`aspect p` and the like), tail, weight, line.

        Raises:
            GraphError: The table has other columns.
        """
        for frame in read_columns(path, DISEASE_COLUMNS, self.writer, TAB, _lines_of_comment(path)):
            whole = without_empty(frame, ("disease", "phenotype", "aspect"), path, self.writer)
            is_known = pl.col("aspect").is_in(ASPECTS)
            for line, aspect in whole.filter(~is_known).select("line", "aspect").iter_rows():
                self.writer.reject(path.name, line, f"its aspect {aspect!r} is none of {', '.join(ASPECTS)}")
            stated = whole.filter(pl.col("qualifier") != "NOT")
            self.writer.count(denied=len(whole) - len(stated))
            stated = stated.filter(is_known)
            self._add("disease", stated.select(key="disease", name="name"))
            yield _edges(stated, "disease", pl.format("aspect {}", pl.col("aspect").str.to_lowercase()), "phenotype")

    def read_genes(self, path: Path) -> Iterator[pl.DataFrame]:
        """Edges from genes to phenotypes, and to diseases if the table tells them.

        Yields:
            head, relation (`gene of phenotype` or `gene of disease`), tail, weight, line.

        Raises:
            GraphError: The table has other columns.
        """
        skip = _lines_of_comment(path)
        has_disease = DISEASE_OF_GENE in read_header(path, TAB, skip=skip)
        wanted = GENE_COLUMNS | ({"disease": DISEASE_OF_GENE} if has_disease else {})
        for frame in read_columns(path, wanted, self.writer, TAB, skip):
            rows = without_empty(frame, [name for name in wanted if name != "symbol"], path, self.writer)
            is_number = pl.col("gene").str.contains(r"^\d+$")
            gene = pl.when(is_number).then(pl.format("NCBIGene:{}", "gene")).otherwise("gene")
            rows = rows.with_columns(gene=gene)
            self._add("gene", rows.select(key="gene", name="symbol"))
            yield _edges(rows, "gene", pl.lit("gene of phenotype"), "phenotype")
            if has_disease:
                rows = rows.filter(pl.col("disease") != NO_DISEASE)
                self._add("disease", rows.select(key="disease", name=pl.lit("")))
                yield _edges(rows, "gene", pl.lit("gene of disease"), "disease")

    def _add(self, kind: str, nodes: pl.DataFrame) -> None:
        types = pl.lit([kind], dtype=pl.List(pl.String))
        self._nodes.append(nodes.unique(maintain_order=True).with_columns(types=types))


def _edges(rows: pl.DataFrame, head: str, relation: pl.Expr, tail: str) -> pl.DataFrame:
    edges = rows.select(head=head, relation=relation, tail=tail, line="line", weight=pl.lit(1.0, pl.Float32))
    return edges.unique(["head", "relation", "tail"], keep="first", maintain_order=True)


def _lines_of_comment(path: Path) -> int:
    try:
        with open_utf8(path) as lines:
            return next((number for number, line in enumerate(lines) if not line.startswith(b"#")), 0)
    except OSError as error:
        raise GraphError(f"{path} cannot be read: {error}. Check that it is whole.") from error
