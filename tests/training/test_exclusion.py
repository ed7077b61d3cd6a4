import subprocess
import sys
from pathlib import Path

import pytest

from dragon_core.training.errors import TrainingError
from dragon_core.training.exclusion import only_one

HOLD = """
import sys, time
from pathlib import Path
from dragon_core.training.exclusion import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(3600)
"""


def test_a_folder_is_held_until_its_holder_dies(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match="Another process trains the same model"), only_one(tmp_path, 0.1):
            pass
        holder.kill()
    with only_one(tmp_path, 10):
        pass
