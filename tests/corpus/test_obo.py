import gzip
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dragon_core.artifacts import ArtifactStore, ExternalFiles, make
from dragon_core.corpus import Document, EmptyCorpusError
from dragon_core.corpus.obo import OboReader
from dragon_core.corpus.stage import BuildCorpus, CorpusParams
from dragon_core.graph.errors import GraphError
from tests.graph.obo.ontology import write_hpo

ONTOLOGY = r"""format-version: 1.2
ontology: x

[Term]
id: X:1
name: All

[Term]
id: X:4
name: Cortical cyst
def: "A cyst in the cortex of the kidney." []
is_a: X:2 ! Renal cyst

[Term]
id: X:3
name: Tall stature
def: "More height than is usual" []
is_a: X:1

[Term]
id: X:2
name: Renal cyst
alt_id: X:7
def: "A cyst \"of the kidney\",\nfluid\-filled. It may be alone." [PMID:15806441 "a [b]", https://orcid.org/0000-0002] {source="x"}
synonym: "Cyst of kidney" EXACT layperson []
synonym: "Cysts" BROAD []
is_a: X:1

[Term]
id: X:5
name: Medullary cyst
def: "A cyst in the medulla of the kidney." []
is_a: X:7 ! another id of Renal cyst

[Term]
id: X:6
name: obsolete Old cyst
def: "What was once a cyst." []
is_a: X:2
is_obsolete: true

[Term]
id: X:8
name: Cyst of another ontology
def: "A cyst whose parent is not here." []
is_a: Y:1
"""  # noqa: E501
DOCUMENTS = [
    Document("X:3", "obo", ["Tall stature: More height than is usual."], "More height than is usual"),
    Document(
        "X:2",
        "obo",
        ['Renal cyst, Cyst of kidney: A cyst "of the kidney", fluid-filled.', "It may be alone."],
        'A cyst "of the kidney", fluid-filled. It may be alone.',
    ),
    Document(
        "X:4", "obo", ["Cortical cyst: A cyst in the cortex of the kidney."], "A cyst in the cortex of the kidney."
    ),
    Document(
        "X:5", "obo", ["Medullary cyst: A cyst in the medulla of the kidney."], "A cyst in the medulla of the kidney."
    ),
    Document(
        "X:8", "obo", ["Cyst of another ontology: A cyst whose parent is not here."], "A cyst whose parent is not here."
    ),
]


def read(root: Path) -> tuple[list[Document], list[tuple[str, int | str, str]]]:
    rejects: list[tuple[str, int | str, str]] = []
    reader = OboReader(root)
    documents = list(reader.documents(lambda *rejected: rejects.append(rejected)))
    assert reader.done == reader.total == len(documents)
    assert sorted(reader.definitions()) == sorted(document.definition for document in documents)
    return documents, rejects


def test_a_definition_is_a_document_beside_its_relatives(tmp_path: Path) -> None:
    (tmp_path / "x.obo").write_text(ONTOLOGY, encoding="utf-8")
    (tmp_path / "phenotype.hpoa").write_text("no ontology\n", encoding="utf-8")
    assert read(tmp_path) == (DOCUMENTS, [])


def test_a_compressed_file_is_enough(tmp_path: Path) -> None:
    (tmp_path / "x.obo.gz").write_bytes(gzip.compress(ONTOLOGY.encode()))
    assert read(tmp_path / "x.obo.gz") == (DOCUMENTS, [])


def test_terms_that_are_each_others_parents_are_read(tmp_path: Path) -> None:
    term = '[Term]\nid: X:{}\nname: x\ndef: "d {}" []\nis_a: X:{}\n\n'
    (tmp_path / "x.obo").write_text("".join(term.format(*ids) for ids in ((1, 1, 2), (2, 2, 1), (3, 3, 3))))
    documents, _ = read(tmp_path)
    assert [document.doc_id for document in documents] == ["X:1", "X:2", "X:3"]


def test_a_stanza_that_cannot_be_parsed_is_a_reject(tmp_path: Path) -> None:
    (tmp_path / "x.obo").write_text(ONTOLOGY.replace('kidney." []', "kidney. []", 1), encoding="utf-8")
    documents, rejects = read(tmp_path)
    assert documents == [document for document in DOCUMENTS if document.doc_id != "X:4"]
    [(source, record, reason)] = rejects
    assert (source, record) == ("x.obo", "11")
    assert reason.startswith("it is no OBO: ")


def test_held_out_definitions_are_nowhere_in_the_corpus(tmp_path: Path) -> None:
    source = ExternalFiles.of("HPO", write_hpo(tmp_path / "hpo"))
    stage = BuildCorpus(source=source, params=CorpusParams(source="obo", holdout_share=0.2))
    made = make(stage, ArtifactStore(str(tmp_path / "store")))
    held_out = pq.read_table(made.path("holdout.parquet")).to_pylist()
    text = " ".join(row["text"] for part in made.parts for row in pq.read_table(made.path(part)).to_pylist())
    assert len(held_out) > 5
    assert not [row for row in held_out if row["text"] in text]
    assert made.manifest.counts["documents"] == len(held_out) + text.count("Any change") + text.count("that is seen")


@pytest.mark.parametrize(
    ("files", "error", "sentence"),
    [
        ({"a.txt": "text"}, GraphError, "holds no file that matches"),
        ({"a.obo": "format-version: 1.2\n"}, GraphError, "holds no stanza"),
        ({"a.obo": "[Term]\nid: X:1\nname: All\n"}, EmptyCorpusError, "is empty"),
    ],
)
def test_what_gives_no_text_is_one_clear_sentence(
    tmp_path: Path, files: dict[str, str], error: type[Exception], sentence: str
) -> None:
    (tmp_path / "x").mkdir()
    for name, text in files.items():
        (tmp_path / "x" / name).write_text(text)
    stage = BuildCorpus(source=ExternalFiles.of("x", tmp_path / "x"), params=CorpusParams(source="obo"))
    with pytest.raises(error, match=sentence):
        make(stage, ArtifactStore(str(tmp_path / "store")))
