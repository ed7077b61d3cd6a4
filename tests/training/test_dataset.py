from pathlib import Path

import numpy as np
import pytest

from dragon_core.training.dataset import SegmentDataset
from dragon_core.training.errors import TrainingError
from tests.training.encoders import word_piece_tokenizer
from tests.training.shards import random_rows, subgraphs, write_shards

ROWS = random_rows(50)
TOKENIZER = word_piece_tokenizer()
LENGTH = 16


def opened(parts: list[Path], unpacked: Path) -> SegmentDataset:
    return SegmentDataset.open(parts, unpacked, TOKENIZER, LENGTH)


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    return write_shards(tmp_path / "shards", ROWS, [20, 0, 29, 1])


def test_any_examples_in_any_order(parts: list[Path], tmp_path: Path) -> None:
    dataset = opened(parts, tmp_path / "unpacked")
    assert len(dataset) == 50
    for wanted in ([49, 0, 19, 20, 48, 20], list(range(50)), []):
        read = dataset.read(np.array(wanted, dtype=np.int64))
        assert read.segment_ids.tolist() == [ROWS[i]["segment_id"] for i in wanted]
        texts = [str(ROWS[i]["text"]) for i in wanted]
        assert dataset.texts(np.array(wanted, dtype=np.int64)) == texts
        encoded = [TOKENIZER(text, truncation=True, max_length=LENGTH) for text in texts]
        assert [tokens.tolist() for tokens in read.tokens] == [encoding["input_ids"] for encoding in encoded]
        for words, encoding in zip(read.words, encoded, strict=True):
            assert words.tolist() == [-1 if word is None else word for word in encoding.word_ids()]
        for name, array in vars(subgraphs([ROWS[i] for i in wanted])).items():
            np.testing.assert_array_equal(getattr(read.subgraphs, name), array, err_msg=name)


def test_sizes_are_known_without_reading(parts: list[Path], tmp_path: Path) -> None:
    dataset = opened(parts, tmp_path / "unpacked")
    wanted = np.array([7, 49, 0, 20])
    read, sizes = dataset.read(wanted), dataset.sizes(wanted)
    assert sizes.tokens.tolist() == [len(tokens) for tokens in read.tokens]
    assert sizes.edges.tolist() == read.subgraphs.edge_counts.tolist()


def test_either_text_or_graph_can_be_left_out(parts: list[Path], tmp_path: Path) -> None:
    read = opened(parts, tmp_path / "unpacked").read(np.arange(50))
    graphs, texts = read.without_text(), read.without_graph()
    assert {tuple(tokens.tolist()) for tokens in graphs.tokens} == {(TOKENIZER.cls_token_id, TOKENIZER.sep_token_id)}
    assert graphs.subgraphs is read.subgraphs
    assert len(texts.subgraphs) == 50
    assert len(texts.subgraphs.node_id) == len(texts.subgraphs.head) == 0
    assert texts.tokens is read.tokens


def test_what_a_killed_run_left_half_unpacked_is_not_used(parts: list[Path], tmp_path: Path) -> None:
    unpacked = tmp_path / "unpacked"
    opened(parts, unpacked)
    first = unpacked / "part-00000.arrow"
    first.rename(first.with_suffix(".unpacking"))
    first.with_suffix(".unpacking").write_bytes(b"half")
    before = (unpacked / "part-00002.arrow").stat().st_mtime_ns
    assert opened(parts, unpacked).texts(np.array([3])) == [ROWS[3]["text"]]
    assert (unpacked / "part-00002.arrow").stat().st_mtime_ns == before


@pytest.mark.parametrize("count", [0, 1])
def test_shards_with_nothing_to_train_on_are_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(TrainingError, match=f"hold {count} segments"):
        opened(write_shards(tmp_path / "shards", ROWS[:count], [count]), tmp_path / "unpacked")
