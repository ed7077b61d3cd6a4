"""What an artifact was made from is looked at again before anything more is made from it."""

from pathlib import Path

import pytest

from dragon_core.artifacts import ArtifactStore, ExternalFiles, make
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.provenance import stage_that_made
from tests.artifacts.stages import Numbers, NumbersParams, Total


def test_the_stage_that_made_an_artifact_is_told_by_its_manifest(tmp_path: Path) -> None:
    folder, store = tmp_path / "source", ArtifactStore(str(tmp_path / "store"))
    folder.mkdir()
    (folder / "a.txt").write_text("one")
    (folder / "a.md").write_text("of no matter")
    stage = Numbers(source=ExternalFiles.of("source", folder, "*.txt"), params=NumbersParams(shard_count=1))
    made = make(stage, store)
    (folder / "a.md").write_text("of no matter, either")
    assert stage_that_made(made, Numbers) == stage
    with pytest.raises(QuestionError, match=r"was made by another version of this program \(params.shard_count: "):
        stage_that_made(made, Total)
    (folder / "a.txt").write_text("two")
    with pytest.raises(QuestionError, match=r"whose files have changed since; put the old ones back"):
        stage_that_made(made, Numbers)
    (folder / "a.txt").unlink()
    (folder / "a.md").unlink()
    folder.rmdir()
    with pytest.raises(QuestionError, match="which is gone; put it back"):
        stage_that_made(made, Numbers)
