import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import ClassVar

import pytest

from dragon_core.artifacts import ArtifactStore, Draft, Inputs, Parameters, Progress, Stage, make
from dragon_core.artifacts.errors import ArtifactBusyError
from dragon_core.artifacts.exclusion import only_one

HOLD = """
import sys, time
from pathlib import Path
from dragon_core.artifacts.exclusion import only_one
with only_one(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    time.sleep(3600)
"""


class Slow(Stage):
    name = "slow"
    version = 1
    params: Parameters = Parameters()
    made: ClassVar[list[str]] = []

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        time.sleep(1)
        draft.write_json("times.json", len(self.made))
        self.made.append(self.reference.key)


class Impatient(Slow):
    patience = 0.1


def test_a_lock_is_held_until_its_holder_dies(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ArtifactBusyError, match="Another process makes it"), only_one(lock, "it", 0.1):
            pass
        holder.kill()
    with only_one(lock, "it", 10):
        pass


def test_who_comes_second_waits_and_gets_what_the_first_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Slow.made.clear()
    together = Barrier(3)

    def made(_: int) -> str:
        together.wait()
        return make(Slow(), ArtifactStore(str(tmp_path))).manifest.model_dump_json()

    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(made, range(3))
    assert others == [first, first]
    assert len(Slow.made) == 1
    assert "Another process makes slow/" in caplog.text
    folder = ArtifactStore(str(tmp_path)).get(Slow().reference).folder
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "times.json"}


def test_what_is_damaged_is_not_cleared_away_under_a_process_that_makes_it_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, stage = ArtifactStore(str(tmp_path / "store")), Slow()
    folder = make(stage, store).folder
    sound = Path(shutil.copytree(folder, tmp_path / "sound"))
    (folder / "times.json").write_text("damaged")
    Slow.made.clear()
    with ThreadPoolExecutor(1) as pool:
        with only_one(store.lock(stage.reference), "it"):
            second = pool.submit(make, stage, store)
            while "Another process makes slow/" not in caplog.text and not second.done():
                time.sleep(0.01)
            assert (folder / "times.json").read_text() == "damaged"
            shutil.copytree(sound, folder, dirs_exist_ok=True)
        assert second.result() == ArtifactStore(str(tmp_path / "store")).get(stage.reference)
    assert Slow.made == []


def test_a_stage_waits_no_longer_than_it_says(tmp_path: Path) -> None:
    store, stage = ArtifactStore(str(tmp_path)), Impatient()
    with (
        only_one(store.lock(stage.reference), "it"),
        pytest.raises(ArtifactBusyError, match="Another process makes"),
    ):
        make(stage, store)
    assert store.find(stage) is None
