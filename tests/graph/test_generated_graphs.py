from pathlib import Path

import numpy as np

from benchmarks.generated_graphs import generated_triples, made_up_words, write_conceptnet, write_umls
from dragon_core.graph.conceptnet.assertions import ConceptNetParams
from dragon_core.graph.umls.params import UmlsParams
from tests.graph.building import build


def test_degrees_add_up_fall_by_a_power_law_and_reach_the_hub() -> None:
    heads, relations, tails = generated_triples(20_000, 85_000, 17, 3_000, seed=1)
    degrees = np.sort(np.bincount(np.concatenate([heads, tails]), minlength=20_000))[::-1]
    assert len(heads) == len(relations) == len(tails) == 85_000
    assert degrees[-1] >= 1
    assert 2_500 < degrees[0] < 3_500
    assert np.median(degrees) < degrees.mean() / 2
    # Ten times the rank is ten to the 0.8 fewer edges.
    assert 4.5 < degrees[50:60].mean() / degrees[500:600].mean() < 8
    assert np.array_equal(np.unique(relations), np.arange(17))
    again = generated_triples(20_000, 85_000, 17, 3_000, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip((heads, relations, tails), again, strict=True))


def test_made_up_words_are_distinct() -> None:
    words = made_up_words(10_000, seed=0).to_list()
    assert len({word.replace("_", "") for word in words}) == 10_000


def test_the_files_are_read_without_rejects(tmp_path: Path) -> None:
    (tmp_path / "umls").mkdir()
    write_conceptnet(tmp_path / "conceptnet.csv.gz", nodes=200, edges=900, largest_hub=50)
    write_umls(tmp_path / "umls", concepts=200, names=500, relationships=1_000, largest_hub=40)
    conceptnet = build(tmp_path / "conceptnet.csv.gz", tmp_path / "store", ConceptNetParams())
    umls = build(tmp_path / "umls", tmp_path / "store", UmlsParams())
    assert conceptnet.rejects == umls.rejects == []
    assert conceptnet.counts["records"] == 900
    assert (umls.graph.num_nodes, umls.graph.num_relations) == (200, 7)
    assert sum(map(len, umls.graph.nodes["aliases"].to_pylist())) == 300
    assert 300 < umls.graph.num_edges <= 500
