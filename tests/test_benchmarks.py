"""The benchmarks run, and say all they should; what they measure is no test's business."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.shared_data import SHARED_DATA

# How fast they are is no test's business.
pytestmark = pytest.mark.timeout(1200)

ROOT = Path(__file__).parents[1]


def run(*arguments: str, **variables: str) -> tuple[list[dict[str, Any]], str]:
    """Run a benchmark; give the JSON lines it printed, and its standard error."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def committed_names(results: str) -> list[str]:
    """The names of the results that the repository holds, without the line of the machine."""
    lines = (ROOT / "benchmarks" / "results" / results).read_text(encoding="utf-8").splitlines()[1:]
    return [json.loads(line)["name"] for line in lines]


def test_the_model_benchmark_prints_every_ratio_and_draws_the_plot(tmp_path: Path) -> None:
    plot = tmp_path / "edges.png"
    options = ["--repeats", "1", "--sequences", "2", "--plot", str(plot)]
    lines, errors = run("benchmarks.model", *options, DRAGON_SHARED_DATA=str(tmp_path))
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
    assert "set DRAGON_SHARED_DATA" in errors


@pytest.mark.skipif(not (SHARED_DATA / "csqa").exists(), reason="CommonsenseQA is not there: set DRAGON_SHARED_DATA.")
def test_the_linking_benchmark_prints_every_result_and_finds_what_the_recipe_finds() -> None:
    (machine, *results), _ = run("benchmarks.linking", "--quick")
    assert machine["packages"]["daachorse"]
    by_name = {result["name"]: result for result in results}
    assert set(by_name) == {name for name in committed_names("linking.jsonl") if "NCBI" not in name}
    assert by_name["spacy, sentences/s over the recipe's"]["equal"] == 1
    assert by_name["dictionary, agreement with the recipe"]["value"] > 0.8
    assert all(result["samples"] > 0 for result in results)


def test_the_graph_benchmark_builds_each_source_without_rejects() -> None:
    (_, *results), _ = run("benchmarks.graphs", "--quick")
    assert [result["name"] for result in results] == committed_names("graphs.jsonl")
    assert [result["rejects"] for result in results if "rejects" in result] == [0, 0]


@pytest.mark.skipif(not (SHARED_DATA / "csqa").exists(), reason="CommonsenseQA is not there: set DRAGON_SHARED_DATA.")
def test_the_subgraph_benchmark_prints_every_result_and_finds_what_the_recipe_finds() -> None:
    (_, *results), _ = run("benchmarks.subgraphs", "--quick")
    assert [result["name"] for result in results] == committed_names("subgraphs.jsonl")
    assert [result["equal"] for result in results if "equal" in result] == ["20 of 20", "5 of 5"]
    read = {result["name"]: result["value"] for result in results if "forwards" in result["name"]}
    assert read["relevance, forwards an example"] == 1
    assert read["relevance, forwards an example of cached text"] == 0


def test_the_benchmark_of_the_papers_profiles_takes_a_step() -> None:
    profile = "pretrain-biomed-paper"
    (_, *results), _ = run("benchmarks.profiles", "--quick", "--profile", profile)
    names = [name for name in committed_names("profiles.jsonl") if name.startswith(profile)]
    assert [result["name"] for result in results] == names
    assert [result["finite"] for result in results if "finite" in result] == [True]
    assert [(result["layers"], result["fused"]) for result in results if "layers" in result] == [(2, 1)]


def test_the_training_benchmark_prints_every_result() -> None:
    (_, *results), _ = run("benchmarks.training", "--quick")
    assert [result["name"] for result in results] == committed_names("training.jsonl")
