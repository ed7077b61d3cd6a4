"""What a process imports before it knows what it is to do; whatever else, each process of a run pays for it."""

import subprocess
import sys
from pathlib import Path

import pytest

import flows

FLOWS = sorted(f"flows.{path.stem}" for path in Path(flows.__path__[0]).glob("*.py") if path.stem != "__init__")
HEAVY = {"torch", "transformers", "accelerate", "spacy", "matplotlib", "networkx", "datasets"}


@pytest.mark.parametrize("modules", [FLOWS, ["dragon_core.linking.stage", "dragon_core.subgraph.stage"]])
def test_what_describes_stages_leaves_to_them_what_carries_them_out(modules: list[str]) -> None:
    assert "flows.pretrain" in FLOWS
    program = f"import sys, {', '.join(modules)}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
