import gzip
from pathlib import Path

import pytest

from dragon_core.graph.conceptnet.version4 import ConceptNet4Params
from tests.graph.building import build
from tests.shared_data import SHARED_DATA

REAL = """\
posterior rugae\ttrunk\t{'freq': 5, 'score': 1, 'rel': u'PartOf'}
computer hacker\tbuild\t{'freq': 5, 'score': 2, 'rel': u'AtLocation'}
dog\ttail\t{'freq': 8, 'score': 3, 'rel': u'HasA'}
dog\tfly\t{'freq': -5, 'score': 1, 'rel': u'CapableOf'}
'wo not\tcontraction not  mean\t{'freq': 5, 'score': 1, 'rel': u'DefinedAs'}
dog\ttail\t{'freq': 5, 'score': 1, 'rel': 'HasA'}
dog\tdog\t{'freq': 5, 'score': 1, 'rel': u'IsA'}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "conceptnet_en.graph.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_assertions_that_are_not_denied_become_edges(tmp_path: Path) -> None:
    built = build(write(tmp_path, REAL), tmp_path / "store", ConceptNet4Params())
    assert built.weights() == {
        ("posterior_rugae", "part of", "trunk"): 1.0,
        ("computer_hacker", "at location", "build"): 2.0,
        ("tail", "part of", "dog"): 3.0,
        ("'wo_not", "is a", "contraction_not_mean"): 1.0,
    }
    assert built.node("contraction_not_mean")["name"] == "contraction not mean"
    assert (built.counts["denied"], built.counts["records"]) == (1, 7)


def test_a_low_score_is_left_out_on_demand(tmp_path: Path) -> None:
    built = build(write(tmp_path, REAL), tmp_path / "store", ConceptNet4Params(min_weight=2))
    assert set(built.weights().values()) == {2.0, 3.0}


def test_incomplete_lines_are_rejected(tmp_path: Path) -> None:
    bad = (
        "\tx\t{'freq': 5, 'score': 1, 'rel': u'IsA'}\n"
        "dog\tcat\t{'score': 1, 'rel': u'IsA'}\n"
        "dog\tcat\t{'freq': 5, 'rel': u'IsA'}\n"
    )
    built = build(write(tmp_path, bad + REAL), tmp_path / "store", ConceptNet4Params(max_reject_share=0.5))
    assert [(record, reason.split()[1]) for _, record, reason in built.rejects] == [
        ("1", "lacks"),
        ("2", "lacks"),
        ("3", "weight"),
    ]
    assert built.graph.num_edges == 4


@pytest.mark.skipif(not (SHARED_DATA / "conceptnet4").exists(), reason="ConceptNet 4 is not there")
def test_the_real_graph_is_read_whole(tmp_path: Path) -> None:
    built = build(SHARED_DATA / "conceptnet4", tmp_path, ConceptNet4Params())
    assert built.rejects == []
    assert built.counts["records"] == 488_014
    assert 460_000 < built.graph.num_edges < 486_000
