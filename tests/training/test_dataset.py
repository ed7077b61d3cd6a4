from pathlib import Path

import numpy as np
import pytest

from dragon_core.training.dataset import SegmentDataset
from dragon_core.training.errors import TrainingError
from tests.training.shards import random_rows, subgraphs, write_shards

ROWS = random_rows(50)


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    return write_shards(tmp_path / "shards", ROWS, [20, 0, 29, 1])


def test_any_examples_in_any_order(parts: list[Path], tmp_path: Path) -> None:
    dataset = SegmentDataset.open(parts, tmp_path / "unpacked")
    assert len(dataset) == 50
    for wanted in ([49, 0, 19, 20, 48, 20], list(range(50)), []):
        read = dataset.read(np.array(wanted, dtype=np.int64))
        assert read.segment_ids.tolist() == [ROWS[i]["segment_id"] for i in wanted]
        assert read.texts == [ROWS[i]["text"] for i in wanted]
        for name, array in vars(subgraphs([ROWS[i] for i in wanted])).items():
            np.testing.assert_array_equal(getattr(read.subgraphs, name), array, err_msg=name)


def test_sizes_are_known_without_reading(parts: list[Path], tmp_path: Path) -> None:
    dataset = SegmentDataset.open(parts, tmp_path / "unpacked")
    assert dataset.text_bytes.tolist() == [len(str(row["text"]).encode()) for row in ROWS]
    whole = subgraphs(ROWS)
    np.testing.assert_array_equal(dataset.node_counts, whole.node_counts)
    np.testing.assert_array_equal(dataset.edge_counts, whole.edge_counts)


def test_what_a_killed_run_left_half_unpacked_is_not_used(parts: list[Path], tmp_path: Path) -> None:
    unpacked = tmp_path / "unpacked"
    SegmentDataset.open(parts, unpacked)
    first = unpacked / "part-00000.arrow"
    first.rename(first.with_suffix(".unpacking"))
    first.with_suffix(".unpacking").write_bytes(b"half")
    before = (unpacked / "part-00002.arrow").stat().st_mtime_ns
    assert SegmentDataset.open(parts, unpacked).read(np.array([3])).texts == [ROWS[3]["text"]]
    assert (unpacked / "part-00002.arrow").stat().st_mtime_ns == before


def test_shards_without_a_segment_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="hold no segment"):
        SegmentDataset.open(write_shards(tmp_path / "shards", [], [0]), tmp_path / "unpacked")
