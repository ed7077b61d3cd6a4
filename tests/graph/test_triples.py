import gzip
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from dragon_core.graph.errors import GraphError
from dragon_core.graph.triples import NodeColumns, TripleColumns, TriplesParams
from tests.graph.building import build
from tests.shared_data import SHARED_DATA

OF_82K = TripleColumns(head=1, relation=0, tail=2)
OF_PRIMEKG = TripleColumns(
    head="x_index", relation="display_relation", tail="y_index", head_name="x_name", tail_name="y_name"
)
OF_HETIONET = TripleColumns(head="source", relation="metaedge", tail="target")

PRIMEKG = "".join(
    f"{line}\n"
    for line in (
        "relation,display_relation,x_index,x_id,x_type,x_name,x_source,y_index,y_id,y_type,y_name,y_source",
        'indication,treats,1,DB00945,drug,"Aspirin, ""coated""",DrugBank,2,13924,disease,headache disorder,MONDO',
        'indication,treats,1,DB00945,drug,"Aspirin, ""coated""",DrugBank,3,7254,disease,"cancer, of the breast",MONDO',
        "protein_protein,ppi,4,9796,gene/protein,,NCBI,5,7918,gene/protein,GPANK1,NCBI",
        "protein_protein,ppi,4,9796,gene/protein,PHYHIP,NCBI,5,7918,gene/protein,GPANK1,NCBI",
    )
)
SIF = """\
source\tmetaedge\ttarget
Gene::9021\tGiG\tGene::51161
Gene::9021\tbinds_to\tCompound::DB00945
"""
NODES = """\
id\tname\tkind
Gene::9021\tSOCS3\tGene
Gene::51161\t\tGene
Compound::DB00945\tAspirin\tCompound
Gene::1\tlonely\t
"""


def test_tables_without_header_are_read_by_positions(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text('CapableOf\tyou\trun on  street\nIsA\tthis\t2 "women\nHasA\tfork\ttine\n')
    (tmp_path / "valid.txt").write_bytes(b"HasFirstSubevent\teat\tbite\r\nHasA\tfork\ttine\r\n\r\n")
    built = build(tmp_path, tmp_path / "store", TriplesParams(edge_files="*.txt", columns=OF_82K))
    assert built.triples == {
        ("you", "capable of", "run_on_street"),
        ("this", "is a", '2_"women'),
        ("fork", "has a", "tine"),
        ("eat", "has first subevent", "bite"),
    }
    assert built.node("run_on_street")["name"] == "run on street"
    assert built.graph.relations[0].template == "{head} capable of {tail}"
    assert built.rejects == []
    assert built.counts["records"] == 5


def test_relations_of_conceptnet_can_be_merged_to_the_usual_ones(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("HasA\tfork\ttine\nHasFirstSubevent\teat\tbite\nNoSuch\ta\tb\n")
    params = TriplesParams(columns=OF_82K, relations="conceptnet", max_reject_share=0.5)
    built = build(tmp_path / "a.tsv", tmp_path / "store", params)
    assert built.triples == {("tine", "part of", "fork"), ("eat", "has subevent", "bite")}
    assert built.rejects == [("a.tsv", "3", "its relation 'NoSuch' is unknown")]


def test_names_beside_the_ids_are_read(tmp_path: Path) -> None:
    (tmp_path / "kg.csv").write_text(PRIMEKG)
    built = build(tmp_path / "kg.csv", tmp_path / "store", TriplesParams(columns=OF_PRIMEKG))
    assert built.triples == {("1", "treats", "2"), ("1", "treats", "3"), ("4", "ppi", "5")}
    assert built.node("1")["name"] == 'Aspirin, "coated"'
    assert built.node("3")["name"] == "cancer, of the breast"
    assert built.node("4")["name"] == "PHYHIP"


def test_names_come_from_a_file_of_nodes(tmp_path: Path) -> None:
    (tmp_path / "hetionet-edges.sif.gz").write_bytes(gzip.compress(SIF.encode()))
    (tmp_path / "hetionet-nodes.tsv").write_text(NODES + "Gene::9021\tanother name\tGene\n")
    params = TriplesParams(
        edge_files="*edges*", node_files="*nodes*", columns=OF_HETIONET, node_columns=NodeColumns(type="kind")
    )
    built = build(tmp_path, tmp_path / "store", params)
    assert built.triples == {
        ("Gene::9021", "gi g", "Gene::51161"),
        ("Gene::9021", "binds to", "Compound::DB00945"),
    }
    assert (built.node("Gene::9021")["name"], built.node("Gene::9021")["types"]) == ("SOCS3", ["Gene"])
    assert built.node("Gene::51161")["name"] == "Gene::51161"
    assert built.node("Gene::1")["types"] == []
    assert (built.counts["isolated_nodes"], built.counts["repeated_nodes"]) == (1, 1)


def test_an_edge_to_a_node_that_is_not_described_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "edges.sif").write_text(SIF + "Gene::7\tGiG\tGene::9021\nGene::9021\tGiG\tGene::8\n")
    (tmp_path / "nodes.tsv").write_text(NODES)
    params = TriplesParams(
        node_files="nodes*", columns=OF_HETIONET, node_columns=NodeColumns(description="kind"), max_reject_share=0.5
    )
    built = build(tmp_path, tmp_path / "store", params)
    assert built.rejects == [
        ("edges.sif", "4", "its head 'Gene::7' is no node"),
        ("edges.sif", "5", "its tail 'Gene::8' is no node"),
    ]
    assert built.node("Gene::9021")["description"] == "Gene"


def test_parquet_by_names_and_by_positions(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {"head": ["a", "b", None], "relation": ["IsA"] * 3, "tail": [1, 2, 3], "weight": [0.5, 2.0, 1.0]},
        schema_overrides={"relation": pl.Categorical},
    )
    table.write_parquet(tmp_path / "kg.parquet")
    expected = {("a", "is a", "1"): 0.5, ("b", "is a", "2"): 2.0}
    for columns in (TripleColumns(weight="weight"), TripleColumns(head=0, relation=1, tail=2, weight=3)):
        params = TriplesParams(columns=columns, max_reject_share=0.5)
        built = build(tmp_path / "kg.parquet", tmp_path / "store", params)
        assert built.weights() == expected
        assert built.rejects == [("kg.parquet", "3", "it lacks one of head, relation, tail")]
        assert built.counts["records"] == 3


def test_bad_rows_are_rejected_and_weights_read(tmp_path: Path) -> None:
    rows = ["a r b 2.5", " r b 1", "a  b 1", "a r c heavy", "a r d nan", "a r e ", "a r f", "a r g 0.1"]
    lines = [row.replace(" ", "\t") for row in rows]
    (tmp_path / "kg.tsv").write_text("head\trelation\ttail\tweight\n" + "\n".join(lines))
    params = TriplesParams(columns=TripleColumns(weight="weight"), min_weight=0.5, max_reject_share=0.9)
    built = build(tmp_path / "kg.tsv", tmp_path / "store", params)
    assert built.weights() == {("a", "r", "b"): 2.5, ("a", "r", "e"): 1.0}
    assert {record: reason for _, record, reason in built.rejects} == {
        "3": "it lacks one of head, relation, tail",
        "4": "it lacks one of head, relation, tail",
        "5": "its weight 'heavy' is no number",
        "6": "its weight 'nan' is no number",
        "8": "it has 3 fields instead of 4",
    }
    assert built.counts["edges_too_light"] == 1


@pytest.mark.parametrize("separator", [";", " "])
def test_other_separators_are_told(tmp_path: Path, separator: str) -> None:
    (tmp_path / "kg.txt").write_text(separator.join(["head", "relation", "tail"]) + "\n" + separator.join("abc") + "\n")
    built = build(tmp_path / "kg.txt", tmp_path / "store", TriplesParams(separator=separator))
    assert built.triples == {("a", "b", "c")}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("kg.tsv", b"source\trelation\ttarget\na\tb\tc\n", "has no column head, tail: it has source, relation, target"),
        ("kg.tsv", b"head,relation,tail\na,b,c\n", "has no column head, relation, tail: it has head,relation,tail"),
        ("kg.tsv", b"", "is empty"),
        ("kg.tsv", b"head\trelation\ttail\n", "No edge could be read from kg.tsv"),
        ("kg.parquet", b"no Parquet at all", "cannot be read as Parquet"),
    ],
)
def test_a_table_of_another_form_is_one_sentence(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(GraphError, match=message):
        build(tmp_path / name, tmp_path / "store", TriplesParams())


def test_too_many_relations_are_taken_for_a_wrong_column(tmp_path: Path) -> None:
    rows = "".join(f"a{i}\tr{i}\tb\n" for i in range(32_768))
    (tmp_path / "kg.tsv").write_text("head\trelation\ttail\n" + rows)
    with pytest.raises(GraphError, match="check which column names the relation"):
        build(tmp_path / "kg.tsv", tmp_path / "store", TriplesParams())


def test_files_of_nodes_alone_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "nodes.tsv").write_text(NODES)
    with pytest.raises(GraphError, match="files of nodes alone"):
        build(tmp_path, tmp_path / "store", TriplesParams(node_files="*.tsv"))


@pytest.mark.parametrize(
    "columns", [{"head": 0}, {"head_name": "name"}, {"head": 0, "relation": 1, "tail": 2, "weight": "weight"}]
)
def test_columns_that_do_not_fit_together_are_refused(columns: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"in one way|or neither"):
        TripleColumns.model_validate(columns)


@pytest.mark.skipif(not (SHARED_DATA / "conceptnet-82k").exists(), reason="conceptnet-82k is not there")
def test_the_real_82k_is_read_whole(tmp_path: Path) -> None:
    params = TriplesParams(edge_files="t*.txt", columns=OF_82K, relations="conceptnet")
    built = build(SHARED_DATA / "conceptnet-82k", tmp_path, params)
    assert built.rejects == []
    assert built.counts["records"] == 81_920 + 10_240
    assert len(built.graph.relations) == 17
