"""Whether the paper's settings run at full size: `python -m benchmarks.profiles [--quick] [--profile NAME]`.

For each deployment of `pipelines.yaml` with the paper's settings: one step of the real stage `Pretrain` with its
parameters, on an encoder of its architecture and vocabulary with random weights, texts that fill its tokens and
subgraphs that fill its nodes. Not the deployment's are the number of steps, the batch (2 examples, not accumulated) and
the graph, which is small. The stage runs in a process of its own, whose largest memory is reported. `--quick` takes
encoders of two layers, one of them fused, and short texts.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
import yaml
from safetensors import safe_open

from benchmarks.full_size import LARGE, FilledSubgraphs, FilledSubgraphsParams, write_encoder, write_triples
from benchmarks.reporting import report, report_machine
from dragon_core.artifacts import Artifact, ArtifactStore, ExternalFiles, make
from dragon_core.embedding import EmbedNodes
from dragon_core.graph.stage import BuildGraph
from dragon_core.graph.triples import TriplesParams
from dragon_core.training import Pretrain, TrainingParams

PIPELINES = Path(__file__).parents[1] / "pipelines.yaml"
TAG = "paper"
BATCH = 2
ONE_STEP = {"steps": 1, "warmup_steps": 0, "batch_size": BATCH, "gradient_accumulation": 1}
QUICK = {"num_fusion_layers": 1, "max_length": 64}
# One of them is evaluated on.
SEGMENTS = BATCH + 1


def paper_profiles() -> dict[str, dict[str, Any]]:
    """Parameters of the deployments with the paper's settings, by name."""
    deployments = yaml.safe_load(PIPELINES.read_text(encoding="utf-8"))["deployments"]
    return {deployment["name"]: deployment["parameters"] for deployment in deployments if TAG in deployment["tags"]}


def prepare(parameters: dict[str, Any], settings: dict[str, Any], folder: Path, layers: int) -> Pretrain:
    """Make what pretraining reads, and give the stage."""
    store = ArtifactStore(str(folder / "store"))
    write_encoder(parameters["encoder"], folder / "encoder", layers)
    write_triples(folder / "triples.tsv")
    encoder = ExternalFiles.of(parameters["encoder"], folder / "encoder")
    source = ExternalFiles.of("triples", folder / "triples.tsv")
    graph = make(BuildGraph(source=source, params=TriplesParams()), store).reference
    training = TrainingParams(**settings)
    filled = FilledSubgraphsParams(
        segments=SEGMENTS, words=training.max_length, nodes=parameters["subgraphs"]["max_nodes"]
    )
    return Pretrain(
        subgraphs=make(FilledSubgraphs(graph=graph, params=filled), store).reference,
        graph=graph,
        entity_table=make(EmbedNodes(graph=graph, encoder=encoder), store).reference,
        encoder=encoder,
        params=training,
    )


def print_pretraining(stage: Pretrain, store: ArtifactStore) -> None:
    """Pretrain, and print what it took."""
    rates: list[float] = []
    started = time.perf_counter()
    made = make(stage, store, lambda done, total, /, **numbers: rates.append(numbers.get("examples_per_second", 0.0)))
    seconds = time.perf_counter() - started
    # In KiB on Linux.
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    curves = pq.read_table(made.path("curves.parquet")).slice(1, 1).to_pylist()[0]
    losses = {name: curves[name] for name in ("loss", "mlm_loss", "link_loss")}
    result = {"step_seconds": BATCH / max(rates), "stage_seconds": seconds, "gigabytes": gigabytes, "losses": losses}
    print(json.dumps(result | {"parameters": count_parameters(made), "threads": torch.get_num_threads()}))


def count_parameters(checkpoint: Artifact) -> int:
    """Parameters of a saved model, without the entity table."""
    sizes = []
    for path in checkpoint.folder.glob("*.safetensors"):
        with safe_open(path, "np") as file:
            sizes += [math.prod(file.get_slice(name).get_shape()) for name in file.keys()]  # noqa: SIM118
    return sum(sizes)


def measure(name: str, parameters: dict[str, Any], quick: bool) -> None:
    """Take a step of a profile, and report it."""
    settings = parameters["training"] | ONE_STEP | (QUICK if quick else {})
    layers = 2 if quick else LARGE["num_hidden_layers"]
    with tempfile.TemporaryDirectory() as folder:
        stage = prepare(parameters, settings, Path(folder), layers)
        command = [
            sys.executable,
            "-m",
            "benchmarks.profiles",
            "--pretrain",
            stage.model_dump_json(),
            f"{folder}/store",
        ]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    size = {
        "encoder": parameters["encoder"],
        "layers": layers,
        "fused": settings["num_fusion_layers"],
        "tokens": settings["max_length"],
        "nodes": parameters["subgraphs"]["max_nodes"],
        "precision": settings["precision"],
        "threads": found["threads"],
        "whole_stage": round(found["stage_seconds"], 1),
    }
    loss, *parts = (round(value, 4) for value in found["losses"].values())
    report(f"{name}, a step", found["step_seconds"], "s", BATCH, better="lower", **size)
    report(f"{name}, memory of the process", found["gigabytes"], "GB", BATCH, better="lower")
    report(f"{name}, parameters", found["parameters"] / 1e6, "millions", 1, better="lower")
    finite = all(map(math.isfinite, found["losses"].values()))
    report(f"{name}, loss", loss, "nats", BATCH, better="lower", masked_lm=parts[0], links=parts[1], finite=finite)


def main() -> None:
    """Measure, and print a JSON line a result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="encoders of two layers, short texts")
    parser.add_argument("--profile", choices=[*paper_profiles()], help="only this one")
    parser.add_argument("--pretrain", nargs=2, metavar=("STAGE", "STORE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pretrain:
        stage, store = options.pretrain
        print_pretraining(Pretrain.model_validate_json(stage), ArtifactStore(store))
        return
    report_machine()
    for name, parameters in paper_profiles().items():
        if options.profile in (None, name):
            measure(name, parameters, options.quick)


if __name__ == "__main__":
    main()
