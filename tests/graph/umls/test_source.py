import csv
from importlib.resources import files
from pathlib import Path

import pytest

from dragon_core.artifacts import TooManyRejectsError
from dragon_core.graph.errors import GraphError
from dragon_core.graph.relations import packaged_relations
from dragon_core.graph.umls.params import UmlsParams
from tests.graph.building import Built, build
from tests.graph.umls.metathesaurus import CONSO, FILES, REL, write_metathesaurus

ASPIRIN, HEADACHE, CARIES, DRUGS = "C0004057", "C0018681", "C0011334", "C0003211"
EDGES = {
    (ASPIRIN, "is a", DRUGS),
    (ASPIRIN, "may treat", HEADACHE),
    (HEADACHE, "narrower than", CARIES),
    (HEADACHE, "plays role", CARIES),
    (CARIES, "qualifier of", ASPIRIN),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = write_metathesaurus(tmp_path_factory.mktemp("umls"))
    return build(folder, tmp_path_factory.mktemp("store"), UmlsParams())


def test_a_concept_has_its_preferred_name_and_the_others_as_aliases(built: Built) -> None:
    assert built.node(ASPIRIN) == {
        "key": ASPIRIN,
        "name": "Aspirin",
        "aliases": ["Aspirin product", "Acetylsalicylic Acid"],
        "description": "The prototypical analgesic used for mild to moderate pain.",
        "types": ["Organic Chemical", "Pharmacologic Substance"],
    }
    assert built.node(HEADACHE)["name"] == 'Headache "quoted'
    assert built.node(CARIES)["description"] == ""
    assert built.graph.nodes["key"].to_pylist() == sorted([ASPIRIN, HEADACHE, CARIES, DRUGS])


def test_a_relation_and_its_inverse_are_one_edge_from_the_second_concept_to_the_first(built: Built) -> None:
    assert built.triples == EDGES
    assert {relation.name for relation in built.graph.relations} == {name for _, name, _ in EDGES}


def test_what_was_left_out_is_counted(built: Built) -> None:
    assert built.rejects == []
    assert built.counts["records"] == sum(text.count("\n") for text in FILES.values())
    assert built.counts["names_left_out"] == 3
    assert built.counts["relationships_left_out"] == 1
    assert built.counts["relationships_of_concepts_left_out"] == 1
    assert built.counts["relationships_within_concepts"] == 1
    # Siblings, and "not related".
    assert built.counts["edges_of_relations_left_out"] == 3


def test_without_the_list_of_inverses_the_usual_ones_are_known_all_the_same(tmp_path: Path) -> None:
    bare = build(write_metathesaurus(tmp_path / "umls", without=["MRDOC"]), tmp_path / "store", UmlsParams())
    assert bare.triples == EDGES | {(CARIES, "role played by", HEADACHE)}


def test_compressed_files_in_the_folder_itself_with_windows_line_ends_say_the_same(
    tmp_path: Path, built: Built
) -> None:
    texts = {name: text.replace("\n", "\r\n") for name, text in FILES.items()}
    folder = write_metathesaurus(tmp_path, compressed=True, **texts) / "META"
    again = build(folder, tmp_path / "store", UmlsParams())
    assert again.triples == built.triples
    assert again.graph.nodes.equals(built.graph.nodes)


def test_the_order_of_the_rows_changes_nothing(tmp_path: Path, built: Built) -> None:
    reordered = {name: "".join(reversed(FILES[name].splitlines(True))) for name in ("MRCONSO", "MRREL", "MRSTY")}
    again = build(write_metathesaurus(tmp_path / "umls", **reordered), tmp_path / "store", UmlsParams())
    assert again.graph.nodes.equals(built.graph.nodes)
    assert again.triples == built.triples


def test_sources_choose_names_definitions_and_relations(tmp_path: Path) -> None:
    folder = write_metathesaurus(tmp_path / "umls")
    mesh = build(folder, tmp_path / "store", UmlsParams(sources=("MSH",)))
    assert mesh.triples == {(ASPIRIN, "is a", DRUGS)}
    assert mesh.node(ASPIRIN)["aliases"] == ["Acetylsalicylic Acid"]
    assert mesh.node(HEADACHE)["description"] == ""
    assert CARIES not in mesh.graph.nodes["key"].to_pylist()


def test_another_language_has_its_own_names_and_definitions(tmp_path: Path) -> None:
    folder = write_metathesaurus(tmp_path / "umls", MRREL=REL + "C0037763||CUI|RO|C0004057||CUI|x_y|R||MSHSPA||||N||\n")
    spanish = build(folder, tmp_path / "store", UmlsParams(language="SPA"))
    assert spanish.triples == {(ASPIRIN, "x y", "C0037763")}
    assert spanish.node(ASPIRIN)["description"] == "Un analgésico."


@pytest.mark.parametrize(
    "types", [("T121", "T184"), ("Pharmacologic Substance", "Sign or Symptom"), ("T121", "T184", "x")]
)
def test_semantic_types_are_told_by_name_or_number(tmp_path: Path, types: tuple[str, ...]) -> None:
    folder = write_metathesaurus(tmp_path / "umls")
    drugs = build(folder, tmp_path / "store", UmlsParams(semantic_types=types))
    assert drugs.triples == {(ASPIRIN, "is a", DRUGS), (ASPIRIN, "may treat", HEADACHE)}
    assert drugs.node(ASPIRIN)["types"] == ["Organic Chemical", "Pharmacologic Substance"]
    assert drugs.counts["concepts_of_types_left_out"] == 1


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("may_treat", "is a"), {"may treat", "is a"}),
        (("may_be_treated_by",), {"may treat"}),
        (("SIB", "RB"), {"sibling of", "narrower than"}),
    ],
)
def test_relations_are_told_by_name_or_label(tmp_path: Path, names: tuple[str, ...], expected: set[str]) -> None:
    some = build(write_metathesaurus(tmp_path / "umls"), tmp_path / "store", UmlsParams(relations=names))
    assert {name for _, name, _ in some.triples} == expected
    assert {relation.name for relation in some.graph.relations} == expected


def test_suppressed_rows_are_read_on_demand(tmp_path: Path) -> None:
    everything = build(write_metathesaurus(tmp_path / "umls"), tmp_path / "store", UmlsParams(suppressed=True))
    assert "ASA (obsolete)" in everything.node(ASPIRIN)["aliases"]
    assert everything.node(ASPIRIN)["description"] == "Out of date."
    assert (HEADACHE, "co occurs with", DRUGS) in everything.triples


def test_what_cannot_be_used_is_rejected_with_its_line(tmp_path: Path) -> None:
    relations = "C0000000|A|AUI|RO|C0004057|A|AUI|x|R||MSH|MSH|||N||\nshort|row|\n" + REL
    folder = write_metathesaurus(tmp_path / "umls", MRREL=relations, MRCONSO=CONSO.replace("Cephalgia", ""))
    assert sorted(build(folder, tmp_path / "store", UmlsParams(max_reject_share=0.5)).rejects) == [
        ("MRCONSO.RRF", "8", "it lacks one of CUI, STR"),
        ("MRREL.RRF", "1", "one of its concepts has no name in MRCONSO"),
        ("MRREL.RRF", "2", "it has 3 fields instead of 17"),
    ]
    with pytest.raises(TooManyRejectsError, match=r"MRREL\.RRF|MRCONSO\.RRF"):
        build(folder, tmp_path / "other", UmlsParams())


def test_empty_definitions_are_no_matter_and_missing_files_are(tmp_path: Path) -> None:
    empty = build(write_metathesaurus(tmp_path / "empty", MRDEF=""), tmp_path / "store", UmlsParams())
    assert empty.triples == EDGES
    with pytest.raises(GraphError, match=r"holds no MRSTY\.RRF"):
        build(write_metathesaurus(tmp_path / "umls", without=["MRSTY"]), tmp_path / "store", UmlsParams())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (UmlsParams(language="FRE"), "no wanted name: language FRE"),
        (UmlsParams(semantic_types=("T999",)), "the types T999"),
        (UmlsParams(relations=("no such",)), "no edge"),
    ],
)
def test_filters_that_nothing_passes_are_one_sentence(tmp_path: Path, params: UmlsParams, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        build(write_metathesaurus(tmp_path / "umls"), tmp_path / "store", params)


def test_the_data_files_agree_with_each_other() -> None:
    package = "dragon_core.graph.umls"
    relations = {relation.name: relation for relation in packaged_relations(package)}
    text = files(package).joinpath("labels.csv").read_text(encoding="utf-8")
    labels = list(csv.DictReader(text.splitlines()))
    assert {row["relation"] for row in labels} - {""} == set(relations)
    assert len({row["source"] for row in labels}) == len(labels)
    for relation in relations.values():
        assert relation.template.format(head="x", tail="y").startswith("x ")
        directions = {row["reversed"] for row in labels if row["relation"] == relation.name}
        assert directions == ({"false"} if relation.symmetric else {"false", "true"})
