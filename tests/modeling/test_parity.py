"""The model is numerically the published one: the golden fixtures, and a second implementation with random options."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from benchmarks.parity import differences, tolerance
from tests.modeling.random_golden import PLAIN, golden_options, write_golden
from tests.shared_data import GOLDEN

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in GOLDEN.glob("*/config.json"))


def wrong(folder: Path) -> dict[str, float]:
    return {name: value for name, value in differences(folder).items() if not value <= tolerance(name)}


@pytest.mark.skipif(not FOLDERS, reason=f"no golden fixtures in {GOLDEN}; set DRAGON_SHARED_DATA")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_the_published_model(folder: Path) -> None:
    assert not wrong(folder)


@pytest.mark.skipif(not FOLDERS, reason=f"no golden fixtures in {GOLDEN}; set DRAGON_SHARED_DATA")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_the_second_implementation_is_the_published_model(folder: Path, tmp_path: Path) -> None:
    """Written from the second implementation's outputs, the fixture is the same."""
    values = json.loads((folder / "config.json").read_text())
    write_golden(
        tmp_path, values, load_file(folder / "state_dict.safetensors"), load_file(folder / "inputs.safetensors")
    )
    ours, expected = (load_file(path / "expected.safetensors") for path in (tmp_path, folder))
    slots = load_file(folder / "inputs.safetensors")
    real = torch.arange(slots["concept_ids"].shape[-1]) < slots["adj_lengths"][..., None]
    expected["eval.node_hidden"] = expected["eval.node_hidden"] * real.view(*expected["eval.node_hidden"].shape[:-1], 1)
    assert set(expected) <= set(ours)
    for name, tensor in expected.items():
        scale = max(1.0, tensor.abs().max().item())
        limit = tolerance(name) * scale
        torch.testing.assert_close(ours[name].reshape(tensor.shape), tensor, rtol=0, atol=limit, msg=name)


@given(golden_options(), st.integers(0, 1000))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_combination_of_options(
    tmp_path_factory: pytest.TempPathFactory, options: dict[str, object], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("golden")
    write_golden(folder, options, seed=seed)
    found = wrong(folder)
    assert not found, (found, options)


def test_the_program_prints_a_line_a_folder_and_fails_past_the_tolerance(tmp_path: Path) -> None:
    sound, damaged, empty = (tmp_path / name for name in ("sound", "damaged", "empty"))
    for folder in (sound, damaged):
        folder.mkdir()
        write_golden(folder, PLAIN, seed=1)
    expected = load_file(damaged / "expected.safetensors")
    expected["eval.pooled"][0, 0] += 1e-3
    expected["grad.lmgnn.roberta.Vh.bias"][0] = torch.nan
    save_file(expected, damaged / "expected.safetensors")

    command = [sys.executable, "-m", "benchmarks.parity"]
    done = subprocess.run([*command, str(sound)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert line["passed"]
    assert set(line["differences"]) == set(expected)
    assert max(line["differences"].values()) < 1e-4

    done = subprocess.run([*command, *map(str, (sound, damaged, empty))], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["passed"] for line in lines] == [True, False, False]
    assert lines[1]["failed"] == ["eval.pooled", "grad.lmgnn.roberta.Vh.bias"]
    assert "config.json" in lines[2]["error"]
