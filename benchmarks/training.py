"""What pretraining costs beside the model: `python -m benchmarks.training [--quick]`.

The model is a BERT of 6 layers x 384, two of them fused, with random weights; the shards are WordNet's definitions,
linked and extracted as `pretrain-general` does, ranked by degree. Each run is the worker that a flow starts, in a
process of its own; runs that are compared take turns. Memory is of a small model, since steps have to be many.
`--quick` measures the same on less.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import torch
from transformers import AutoTokenizer

from benchmarks.reporting import report, report_machine
from benchmarks.training_data import filled_shard, with_settings, wordnet_pretraining, write_encoder
from dragon_core.artifacts import ArtifactStore, ExternalFiles
from dragon_core.embedding.encoder import find_encoder
from dragon_core.training import Pretrain
from dragon_core.training.batching import BatchLimits, BatchPlan
from dragon_core.training.collator import PretrainingCollator
from dragon_core.training.dataset import SegmentDataset
from dragon_core.training.graph_batch import GraphCollator
from dragon_core.training.link_targets import LinkTargetSampler
from dragon_core.training.masking import WordMasker
from dragon_core.training.run import TrainingRun
from tests.training.encoders import write_encoder as write_small_encoder

LENGTH, NODES, EDGES, RELATIONS = 128, 97, 500, 17
WORDS = ["the", "river", "and", "hills", "of", "old", "houses", "where", "people", "said", "small", "children"]


@dataclass(frozen=True)
class Work:
    """How much is done."""

    layers: int
    segments: int
    steps: int
    batch_of_processes: int
    repeats: int
    memory_steps: int
    collated: int


WHOLE = Work(layers=6, segments=4000, steps=60, batch_of_processes=64, repeats=3, memory_steps=5000, collated=4000)
QUICK = Work(layers=2, segments=300, steps=3, batch_of_processes=8, repeats=1, memory_steps=60, collated=200)


@dataclass(frozen=True)
class Line:
    """A report of a worker.

    Attributes:
        at: When it came, by `time.perf_counter`.
        step: Steps done.
        numbers: What was reported.
        memory: Bytes of memory that the worker alone has, at that moment.
    """

    at: float
    step: int
    numbers: dict[str, float]
    memory: int


def worker(stage: Pretrain, store: Path) -> "subprocess.Popen[str]":
    """Start the worker of a stage."""
    processes = stage.execution.num_processes
    several = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    path = store / "stage.json"
    path.write_text(stage.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", *(several if processes > 1 else []), "dragon_core.training.worker"]
    environment = os.environ | {"OMP_NUM_THREADS": str(stage.execution.num_threads)}
    return subprocess.Popen(
        [*command, str(path), str(store)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def lines_of(process: "subprocess.Popen[str]") -> Iterator[Line]:
    """The reports of a worker, as they come."""
    assert process.stdout is not None
    watched = psutil.Process(process.pid)
    for text in process.stdout:
        line = json.loads(text)
        yield Line(time.perf_counter(), line["done"], line["numbers"], watched.memory_full_info().uss)


def forget(stage: Pretrain, store: Path) -> None:
    """Delete what a run made, so that the next one makes it anew."""
    reference = stage.reference
    shutil.rmtree(store / reference.stage / reference.key, ignore_errors=True)


def measure_whole_runs(stage: Pretrain, store: Path, work: Work) -> None:
    """Report what a run waits for data, and what it takes beside its steps."""
    settings = {"steps": work.steps, "warmup_steps": 0}
    run = with_settings(stage, settings, {"num_threads": os.cpu_count() or 1})
    waits, ratios = [], []
    for _ in range(work.repeats):
        forget(run, store)
        command = [sys.executable, "-m", "benchmarks.training", "--train", run.model_dump_json(), str(store)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        waits.append(found["waited"] / (found["waited"] + found["computed"]))
        ratios.append(found["whole"] / found["computed"])
    details = {"batch": run.params.batch_size, "seconds_a_step": found["computed"] / run.params.steps}
    name = "share of a step spent waiting for data"
    report(name, statistics.median(waits), "x", run.params.steps, 0.03, 0.01, "lower", **details)
    name = "run / sum of its steps; evaluations and checkpoints included"
    report(name, statistics.median(ratios), "x", run.params.steps, 1.10, 1.04, "lower")


def print_training(stage: Pretrain, store: ArtifactStore) -> None:
    """Train in this process, and print where the time went."""
    torch.set_num_threads(stage.execution.num_threads)
    run = TrainingRun(stage, store.inputs(stage), store.scratch(stage.reference))
    began = time.perf_counter()
    run.trainer.run()
    whole = time.perf_counter() - began
    print(json.dumps({"whole": whole, "computed": run.trainer.computed, "waited": run.trainer.waited}))


def measure_processes(stage: Pretrain, store: Path, work: Work) -> None:
    """Report how much faster two processes are than one, at one thread each.

    The batch is large: sharing gradients costs the same for each step, however small.
    """
    steps = max(work.steps // 8, 3)
    settings = {"steps": steps, "batch_size": work.batch_of_processes, "warmup_steps": 0, "log_interval": steps // 3}
    settings |= {"evaluation_interval": steps, "evaluation_share": 0.005}
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _, processes in zip(range(2 * work.repeats), cycle((1, 2)), strict=False):
        run = with_settings(stage, settings, {"num_processes": processes, "num_threads": 1})
        forget(run, store)
        with worker(run, store) as process:
            rates[processes] += [line.numbers["examples_per_second"] for line in lines_of(process)]
    one, two = (statistics.median(rates[processes]) for processes in (1, 2))
    details = {"batch": work.batch_of_processes, "one": one, "two": two}
    report("examples/s, two processes over one", two / one, "x", steps, 1.7, 1.9, **details)


def measure_restart(stage: Pretrain, store: Path, work: Work) -> None:
    """Report how long it takes from kill -9 to the first new step."""
    settings = {"steps": 10_000, "log_interval": 1}
    execution = {"num_threads": os.cpu_count() or 1, "checkpoint_interval": 2}
    run = with_settings(stage, settings, execution)
    seconds = []
    for _ in range(work.repeats):
        forget(run, store)
        # The last report before is of step 4, whose checkpoint may be written or not.
        killed = kill_at(run, store, 4).at
        seconds.append(kill_at(run, store, 3).at - killed)
    name = "from kill -9 to the first new step, model load included"
    report(name, statistics.median(seconds), "s", work.repeats, 30, better="lower")


def kill_at(run: Pretrain, store: Path, step: int) -> Line:
    """Kill a worker when it reports a step, or one after it; returns the report."""
    with worker(run, store) as process:
        line = next(line for line in lines_of(process) if line.step >= step)
        process.send_signal(signal.SIGKILL)
    return line


def measure_memory(store: Path, encoder: Path, work: Work) -> None:
    """Report how a small model's process grows over many steps."""
    small = ExternalFiles.of("small", write_small_encoder(encoder))
    stage = wordnet_pretraining(ArtifactStore(str(store)), small, work.segments)
    settings = {
        "steps": work.memory_steps,
        "batch_size": 2,
        "max_length": 16,
        "num_fusion_layers": 1,
        "evaluation_interval": work.memory_steps // 4,
        "evaluation_share": 0.002,
        "log_interval": max(work.memory_steps // 100, 1),
    }
    run = with_settings(stage, settings, {"num_threads": 1, "checkpoint_interval": work.memory_steps // 5})
    with worker(run, store) as process:
        memory = {line.step: line.memory for line in lines_of(process)}
    # The allocator's pools fill for a while, an evaluation and a checkpoint among the rest.
    early = [used for step, used in memory.items() if 0.3 <= step / work.memory_steps < 0.4]
    late = [used for step, used in memory.items() if 0.9 <= step / work.memory_steps < 1.0]
    growth = statistics.median(late) / statistics.median(early) - 1
    name = "growth of memory, last tenth of the steps over the fourth"
    report(name, growth, "x", work.memory_steps, 0.01, 0.0, "lower", megabytes=statistics.median(late) / 1e6)


def measure_collator(folder: Path, work: Work) -> None:
    """Report how many examples a core prepares."""
    tokenizer = AutoTokenizer.from_pretrained(find_encoder("embedded").root)
    path = folder / "part-00000.parquet"
    pq.write_table(filled_shard(work.collated, WORDS, LENGTH, NODES, EDGES, RELATIONS, 100_000), path)
    dataset = SegmentDataset.open([path], folder, tokenizer, LENGTH)
    targets = LinkTargetSampler(np.arange(RELATIONS) < 2, num_negatives=32)
    collator = PretrainingCollator(
        dataset, tokenizer, WordMasker(tokenizer), GraphCollator(RELATIONS), targets, targets, LENGTH, seed=0
    )
    plan = BatchPlan(np.arange(len(dataset)), dataset.sizes, BatchLimits(32), seed=0)
    rates, links = [], 0
    for epoch in range(work.repeats + 1):
        began = time.perf_counter()
        links = sum(collator(batch).num_links for batch in plan.epoch(epoch))
        rates.append(len(dataset) / (time.perf_counter() - began))
    # Compiled loops are loaded in the first epoch.
    rate = statistics.median(rates[1:])
    report(
        "examples/s of the collator, a core",
        rate,
        "1/s",
        len(dataset),
        2000,
        5000,
        links_an_example=links / len(dataset),
    )


def main() -> None:
    """Measure, and print a JSON line a result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the same on less")
    parser.add_argument("--train", nargs=2, metavar=("STAGE", "STORE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        stage, store = options.train
        print_training(Pretrain.model_validate_json(stage), ArtifactStore(store))
        return
    work = QUICK if options.quick else WHOLE
    report_machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = folder / "store"
        torch.set_num_threads(1)
        measure_collator(folder, work)
        torch.set_num_threads(os.cpu_count() or 1)
        stage = wordnet_pretraining(
            ArtifactStore(str(store)), write_encoder(folder / "encoder", work.layers), work.segments
        )
        measure_whole_runs(stage, store, work)
        measure_processes(stage, store, work)
        measure_restart(stage, store, work)
        measure_memory(store, folder / "small", work)


if __name__ == "__main__":
    main()
