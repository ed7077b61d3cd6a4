"""The benchmarks run, and say all they should; what they measure is no test's business."""

import json
import os
import subprocess
import sys
from operator import itemgetter
from pathlib import Path

import pytest

from tests.shared_data import SHARED_DATA

# How fast they are is no test's business.
pytestmark = pytest.mark.timeout(1200)

ROOT = Path(__file__).parents[1]


def test_the_model_benchmark_prints_every_ratio_and_draws_the_plot(tmp_path: Path) -> None:
    plot = tmp_path / "edges.png"
    command = [sys.executable, "-m", "benchmarks.model", "--repeats", "1", "--sequences", "2", "--plot", str(plot)]
    environment = os.environ | {"DRAGON_SHARED_DATA": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    ratios = {line["measure"]: line["ratio"] for line in lines if "ratio" in line}
    assert set(ratios) == {
        "step / BertForMaskedLM",
        "step / backbone, masked positions only",
        "naive step / BertForMaskedLM",
        "fusion alone, naive / ours",
        "peak memory of fusion, naive / ours",
    }
    assert all(ratio > 0 for ratio in ratios.values())
    assert [line["edges"] for line in lines if "edges" in line] == [50, 150, 500, 1500, 5000]
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert "set DRAGON_SHARED_DATA" in done.stderr


@pytest.mark.skipif(not (SHARED_DATA / "csqa").exists(), reason="CommonsenseQA is not there: set DRAGON_SHARED_DATA.")
def test_the_linking_benchmark_prints_every_result_and_finds_what_the_recipe_finds() -> None:
    command = [sys.executable, "-m", "benchmarks.linking", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    machine, *results = (json.loads(line) for line in done.stdout.splitlines())
    assert machine["packages"]["daachorse"]
    by_name = {result["name"]: result for result in results}
    committed = (ROOT / "benchmarks" / "results" / "linking.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    quick = {name for name in map(itemgetter("name"), map(json.loads, committed)) if "NCBI" not in name}
    assert set(by_name) == quick
    assert by_name["spacy, sentences/s over the recipe's"]["equal"] == 1
    assert by_name["dictionary, agreement with the recipe"]["value"] > 0.8
    assert all(result["samples"] > 0 for result in results)


def test_the_graph_benchmark_builds_each_source_without_rejects() -> None:
    command = [sys.executable, "-m", "benchmarks.graphs", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    _, *results = (json.loads(line) for line in done.stdout.splitlines())
    committed = (ROOT / "benchmarks" / "results" / "graphs.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    assert [result["name"] for result in results] == [json.loads(line)["name"] for line in committed]
    assert [result["rejects"] for result in results if "rejects" in result] == [0, 0]


@pytest.mark.skipif(not (SHARED_DATA / "csqa").exists(), reason="CommonsenseQA is not there: set DRAGON_SHARED_DATA.")
def test_the_subgraph_benchmark_prints_every_result_and_finds_what_the_recipe_finds() -> None:
    command = [sys.executable, "-m", "benchmarks.subgraphs", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    _, *results = (json.loads(line) for line in done.stdout.splitlines())
    committed = (ROOT / "benchmarks" / "results" / "subgraphs.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    assert [result["name"] for result in results] == [json.loads(line)["name"] for line in committed]
    assert [result["equal"] for result in results if "equal" in result] == ["20 of 20", "5 of 5"]
    read = {result["name"]: result["value"] for result in results if "forwards" in result["name"]}
    assert read["relevance, forwards an example"] == 1
    assert read["relevance, forwards an example of cached text"] == 0


def test_the_benchmark_of_the_papers_profiles_takes_a_step() -> None:
    profile = "pretrain-biomed-paper"
    command = [sys.executable, "-m", "benchmarks.profiles", "--quick", "--profile", profile]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    _, *results = (json.loads(line) for line in done.stdout.splitlines())
    committed = (ROOT / "benchmarks" / "results" / "profiles.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    names = [name for name in map(itemgetter("name"), map(json.loads, committed)) if name.startswith(profile)]
    assert [result["name"] for result in results] == names
    assert [result["finite"] for result in results if "finite" in result] == [True]
    assert [(result["layers"], result["fused"]) for result in results if "layers" in result] == [(2, 1)]


def test_the_training_benchmark_prints_every_result() -> None:
    command = [sys.executable, "-m", "benchmarks.training", "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    _, *results = (json.loads(line) for line in done.stdout.splitlines())
    committed = (ROOT / "benchmarks" / "results" / "training.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    assert [result["name"] for result in results] == [json.loads(line)["name"] for line in committed]
