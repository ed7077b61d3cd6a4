from pathlib import Path

import pytest
import torch

from dragon_core.training.checkpoints import Checkpoints


def saved(folder: Path) -> Checkpoints:
    checkpoints = Checkpoints(folder, "fingerprint")
    for step in (5, 10, 15):
        checkpoints.save(step, {"weights": torch.arange(1000) + step})
    return checkpoints


def test_the_newest_is_loaded_and_the_oldest_are_dropped(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path)
    found = checkpoints.load_latest()
    assert found is not None
    assert found[0] == 15
    assert torch.equal(found[1]["weights"], torch.arange(1000) + 15)
    assert checkpoints.steps() == [10, 15]
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("damage", ["truncated", "changed", "deleted", "uncommitted"])
def test_a_damaged_one_is_passed_over(tmp_path: Path, damage: str) -> None:
    checkpoints = saved(tmp_path)
    data, record = tmp_path / "step-00000015.pt", tmp_path / "step-00000015.json"
    content = bytearray(data.read_bytes())
    match damage:
        case "truncated":
            data.write_bytes(content[: len(content) // 2])
        case "changed":
            content[len(content) // 2] ^= 1
            data.write_bytes(content)
        case "deleted":
            data.unlink()
        case "uncommitted":
            record.unlink()
    found = checkpoints.load_latest()
    assert found is not None
    assert found[0] == 10
    assert torch.equal(found[1]["weights"], torch.arange(1000) + 10)


def test_a_half_written_record_commits_nothing(tmp_path: Path) -> None:
    checkpoints = saved(tmp_path)
    record = tmp_path / "step-00000015.json"
    record.write_text(record.read_text()[:20])
    found = checkpoints.load_latest()
    assert found is not None
    assert found[0] == 10


def test_those_of_another_run_are_not_used(tmp_path: Path) -> None:
    saved(tmp_path)
    assert Checkpoints(tmp_path, "another").load_latest() is None
    assert Checkpoints(tmp_path / "empty", "fingerprint").load_latest() is None


def test_what_was_damaged_or_half_written_makes_room(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "fingerprint", kept=1)
    for step in (5, 10):
        checkpoints.save(step, {"weights": torch.arange(10)}, best=5)
    (tmp_path / "step-00000010.pt").write_bytes(b"half")
    (tmp_path / ".step-00000012.pt.writing").write_bytes(b"half")
    (tmp_path / "step-00000012.pt").write_bytes(b"never committed")
    checkpoints.save(7, {"weights": torch.arange(10) + 7}, best=5)
    assert checkpoints.steps() == [5, 7]
    assert len(list(tmp_path.iterdir())) == 4
    found = checkpoints.load_latest()
    assert found is not None
    assert found[0] == 7
