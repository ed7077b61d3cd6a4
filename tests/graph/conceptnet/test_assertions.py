import gzip
import json
from pathlib import Path

import pytest

from dragon_core.graph.conceptnet.assertions import ConceptNetParams
from dragon_core.graph.errors import GraphError
from tests.graph.building import build


def assertion(relation: str, head: str, tail: str, weight: object, text: str = "") -> str:
    """A line as ConceptNet 5.7 has it."""
    data = {
        "dataset": "/d/verbosity",
        "license": "cc:by-sa/4.0",
        "sources": [{"contributor": "/s/resource/verbosity"}],
        "surfaceText": text,
        "weight": weight,
    }
    uri = f"/a/[/r/{relation}/,{head}/,{tail}/]"
    return "\t".join((uri, f"/r/{relation}", head, tail, json.dumps(data))) + "\n"


REAL = "".join(
    (
        assertion("Antonym", "/c/en/hot", "/c/en/cold", 2.0, "[[hot]] is the opposite of [[cold]]"),
        assertion("Antonym", "/c/en/cold", "/c/en/hot", 3.464),
        assertion("IsA", "/c/en/dog/n/wn/animal", "/c/en/animal/n", 1.0, '[[a dog]] is [[an "animal", "weight": 99]]'),
        assertion("HasA", "/c/en/dog", "/c/en/tail", 4.0),
        assertion("MotivatedByGoal", "/c/en/eat/v", "/c/en/hunger", 1.5),
        assertion("Desires", "/c/en/dog", "/c/en/go_for_walk", 0.5),
        assertion("RelatedTo", "/c/en/x-ray", "/c/en/café", 1e0),
        assertion("IsA", "/c/fr/chien/n", "/c/fr/animal", 1.0),
        assertion("Synonym", "/c/en/dog", "/c/fr/chien", 1.0),
        assertion("ExternalURL", "/c/en/dog", "http://dbpedia.org/resource/Dog", 1.0),
        assertion("IsA", "/c/en/1990s", "/c/en/decade", 1.0),
        assertion("RelatedTo", "/c/en/dog/n", "/c/en/dog/v", 1.0),
        assertion("FormOf", "/c/en/dogs", "/c/en/dog", 1.0),
    )
)
EDGES = {
    ("cold", "antonym", "hot"): 3.464,
    ("dog", "is a", "animal"): 1.0,
    ("tail", "part of", "dog"): 4.0,
    ("hunger", "causes", "eat"): 1.5,
    ("dog", "desires", "go_for_walk"): 0.5,
    ("café", "related to", "x-ray"): 1.0,
}


def write(folder: Path, text: str = REAL) -> Path:
    folder.mkdir()
    path = folder / "conceptnet-assertions-5.7.0.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_english_assertions_become_edges_of_the_usual_relations(tmp_path: Path) -> None:
    built = build(write(tmp_path / "raw"), tmp_path / "store", ConceptNetParams())
    assert built.weights() == pytest.approx(EDGES)
    assert len(built.graph.relations) == 17
    assert built.node("go_for_walk")["name"] == "go for walk"
    assert "dogs" not in built.graph.nodes["key"].to_pylist()
    assert built.rejects == []


def test_what_was_left_out_is_counted(tmp_path: Path) -> None:
    counts = build(write(tmp_path / "raw").parent, tmp_path / "store", ConceptNetParams()).counts
    assert counts["records"] == REAL.count("\n")
    assert counts["assertions_of_other_languages"] == 3
    assert counts["not_alphabetic"] == 1
    assert counts["edges_of_relations_left_out"] == 1
    assert counts["repeated_edges_and_loops"] == 2


def test_light_assertions_and_other_languages_are_left_out_on_demand(tmp_path: Path) -> None:
    heavy = build(write(tmp_path / "raw"), tmp_path / "store", ConceptNetParams(min_weight=1.5))
    assert heavy.weights() == pytest.approx({edge: weight for edge, weight in EDGES.items() if weight >= 1.5})
    assert heavy.counts["edges_too_light"] == 5
    french = build(tmp_path / "raw", tmp_path / "store", ConceptNetParams(language="fr"))
    assert french.triples == {("chien", "is a", "animal")}


def test_lines_that_are_no_assertions_are_rejected(tmp_path: Path) -> None:
    bad = (
        assertion("IsA", "dog", "/c/en/animal", 1.0)
        + "/a/x\t/r/IsA\t/c/en/a\t/c/en/b\t{}\n"
        + assertion("IsA", "/c/en/a", "/c/en/b", "heavy")
        + assertion("NoSuch", "/c/en/a", "/c/en/b", 1.0)
        + "a line of prose\n"
    )
    built = build(write(tmp_path / "raw", bad + REAL), tmp_path / "store", ConceptNetParams(max_reject_share=0.5))
    assert set(built.triples) == set(EDGES)
    reasons = {record: reason for _, record, reason in built.rejects}
    assert set(reasons) == {"1", "2", "3", "4", "5"}
    assert "is no assertion" in reasons["1"]
    assert reasons["2"] == "its weight '(missing)' is no number"
    assert reasons["3"] == "its weight '\"heavy\"' is no number"
    assert reasons["4"] == "its relation 'NoSuch' is unknown"
    assert reasons["5"] == "it has 1 fields instead of 5"


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "No edge could be read"), (REAL.replace("\t", ","), "5 fields"), (REAL.replace("/c/en", "/c/de"), "No edge")],
)
def test_a_file_without_english_assertions_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        build(write(tmp_path / "raw", text), tmp_path / "store", ConceptNetParams())
