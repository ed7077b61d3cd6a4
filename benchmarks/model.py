"""What fusion costs: `python -m benchmarks.model [--threads N] [--repeats N] [--sequences N] [--plot FILE] [--large]`.

Training steps (forward and backward) of the model, of its backbone alone, and of the naive implementation that the
tests hold it against, interleaved in one process; a JSON line gives the ratio of two medians, and what is required.
Memory is the highest resident size of a process of its own, less what it held before the step.

The model has 6 layers of 384 with a masked-LM head, 3 fusion layers, nodes of 200; a batch has 8 sequences of 128
tokens, or as many as are asked for, each with a graph of 200 nodes and 1,500 directed edges, and 100 triples with 64
negatives each. `--large` takes one step with AdamW of a model of RoBERTa-large's size instead, over a memory-mapped
table of 800,000 entities.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812
from transformers import BertConfig, BertForMaskedLM, RobertaConfig

from benchmarks.batches import VOCABULARY, as_arguments, conceptnet_graphs, random_inputs
from benchmarks.golden import Tensors
from dragon_core.modeling import DragonConfig, DragonForPreTraining
from dragon_core.modeling.published import published_options
from tests.modeling.naive import Naive

Step = Callable[[], None]

SEQUENCES, TOKENS, NODES, EDGES, TRIPLES, NEGATIVES = 8, 128, 200, 1500, 100, 64
EDGE_COUNTS = (50, 150, 500, 1500, 5000)
BACKBONE = BertConfig(
    vocab_size=VOCABULARY,
    hidden_size=384,
    num_hidden_layers=6,
    num_attention_heads=12,
    intermediate_size=1536,
)
# So small that what is left of a step is the fusion.
NO_BACKBONE = BertConfig(
    vocab_size=16,
    hidden_size=384,
    num_hidden_layers=3,
    num_attention_heads=1,
    intermediate_size=1,
)


def config_of(backbone: Any, edge_types: int = 38, **options: Any) -> DragonConfig:
    """The benchmark's model over a backbone."""
    sizes = {"num_fusion_layers": 3, "node_size": 200, "num_entities": 5000, "entity_size": backbone.hidden_size}
    sizes |= {"num_edge_types": edge_types, "use_node_scores": False, "entities": "random"}
    return DragonConfig(backbone=backbone, **(sizes | options))


def naive_of(config: DragonConfig, with_text: bool) -> Naive:
    """The naive implementation of a configuration."""
    options = published_options(config) | {
        "concept_dim": config.node_size,
        "n_concept": config.num_entities,
        "n_attention_head": config.num_pooling_heads,
        "n_fc_layer": config.classifier_depth,
        "mlm_task": int(with_text),
        "link_task": 1,
        "end_task": 0,
    }
    naive = Naive(config.backbone, options, options)
    torch.nn.init.normal_(naive.lmgnn.linkpred.w_relation, std=0.02)
    # The table is frozen in all that is compared.
    naive.lmgnn.concept_emb.emb.requires_grad_(False)
    return naive.train()


def step_of(model: DragonForPreTraining, arguments: Tensors) -> Step:
    """A training step of the model."""

    def step() -> None:
        model.zero_grad()
        model(**arguments).loss.backward()

    return step


def naive_step(naive: Naive, inputs: Tensors) -> Step:
    """A training step of the naive implementation."""

    def step() -> None:
        naive.zero_grad()
        output = naive(inputs)
        (output["mlm_loss"] + output["link_loss"]).backward()

    return step


def backbone_steps(arguments: Tensors) -> tuple[Step, Step]:
    """Steps of the backbone as transformers runs it, and with its head on masked positions only."""
    model = BertForMaskedLM(BACKBONE).train()
    labels, text = arguments["labels"], {name: arguments[name] for name in ("input_ids", "attention_mask")}

    def everywhere() -> None:
        model.zero_grad()
        model(**text, labels=labels).loss.backward()

    def masked() -> None:
        model.zero_grad()
        hidden, chosen = model.bert(**text).last_hidden_state, labels != -100
        F.cross_entropy(model.cls(hidden[chosen]), labels[chosen]).backward()

    return everywhere, masked


def medians(steps: dict[str, Step], repeats: int) -> dict[str, float]:
    """Median seconds of each step, interleaved, after one step of each that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(repeats + 1):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            if repeat:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def report(measure: str, ratio: float, required: str, aim: str, **details: Any) -> None:
    """Print a result."""
    line = {"measure": measure, "ratio": round(ratio, 3), "required": required, "aim": aim}
    print(json.dumps(line | details | {"threads": torch.get_num_threads(), "machine": platform.machine()}), flush=True)


def measure_steps(repeats: int, sequences: int) -> None:
    """Whole steps, on random graphs and on real ones."""
    config = config_of(BACKBONE)
    inputs = random_inputs(sequences, TOKENS, NODES, EDGES, TRIPLES, NEGATIVES, config)
    arguments = as_arguments(inputs, config)
    everywhere, masked = backbone_steps(arguments)
    steps = {
        "model": step_of(DragonForPreTraining(config).train(), arguments),
        "backbone": everywhere,
        "masked": masked,
        "naive": naive_step(naive_of(config, with_text=True), inputs),
    }
    with tempfile.TemporaryDirectory() as folder:
        real = conceptnet_graphs(Path(folder), sequences)
    if real is not None:
        graphs, edge_types = real
        nodes_of_graphs = torch.bincount(graphs["node_batch"])
        text = {name: arguments[name] for name in ("input_ids", "attention_mask", "token_type_ids", "labels")}
        entities = int(graphs["concept_ids"].max())
        model = DragonForPreTraining(config_of(BACKBONE, edge_types, num_entities=entities)).train()
        steps["real"] = step_of(model, text | graphs)
    found = medians(steps, repeats)
    seconds = {name: round(value, 4) for name, value in found.items()}
    report("step / BertForMaskedLM", found["model"] / found["backbone"], "<= 0.70", "<= 0.50", seconds=seconds)
    report("step / backbone, masked positions only", found["model"] / found["masked"], "<= 1.30", "<= 1.15")
    report("naive step / BertForMaskedLM", found["naive"] / found["backbone"], "-", "-")
    if real is None:
        print("There are no real subgraphs to time: set DRAGON_SHARED_DATA.", file=sys.stderr)
    else:
        ratio, nodes = found["real"] / found["masked"], nodes_of_graphs.tolist()
        report("the same, ConceptNet subgraphs", ratio, "<= 1.15", "<= 1.08", nodes=nodes)


def fusion_steps(sequences: int, nodes: int = NODES, edges: int = EDGES, triples: int = TRIPLES) -> dict[str, Step]:
    """Steps of the fusion alone: sequences of one token, and nearly no backbone."""
    config = config_of(NO_BACKBONE)
    inputs = random_inputs(sequences, 1, nodes, edges, triples, NEGATIVES, config)
    arguments = as_arguments(inputs, config)
    arguments.pop("labels")
    return {
        "model": step_of(DragonForPreTraining(config).train(), arguments),
        "naive": naive_step(naive_of(config, with_text=False), inputs),
    }


def measure_fusion(repeats: int, threads: int, sequences: int) -> None:
    """Time and memory of the fusion alone."""
    found = medians(fusion_steps(sequences), repeats)
    seconds = {name: round(value, 4) for name, value in found.items()}
    report("fusion alone, naive / ours", found["naive"] / found["model"], ">= 4", ">= 8", seconds=seconds)
    options = ["--threads", str(threads), "--sequences", str(sequences)]
    memory = {name: peak_of("--fusion-memory", name, *options) for name in found}
    ratio = memory["naive"] / memory["model"]
    megabytes = {name: round(value / 1e6, 1) for name, value in memory.items()}
    report("peak memory of fusion, naive / ours", ratio, ">= 3", ">= 6", megabytes=megabytes)


def measure_edges(repeats: int, sequences: int, plot: Path | None) -> None:
    """The fusion's time by the number of edges."""
    steps = {
        f"{name} {edges}": step for edges in EDGE_COUNTS for name, step in fusion_steps(sequences, edges=edges).items()
    }
    found = medians(steps, repeats)
    for edges in EDGE_COUNTS:
        line = {"edges": edges} | {name: round(found[f"{name} {edges}"], 4) for name in ("model", "naive")}
        print(json.dumps({"measure": "fusion, seconds by edges a graph"} | line), flush=True)
    if plot is None:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.subplots()
    for name in ("model", "naive"):
        axes.plot(EDGE_COUNTS, [found[f"{name} {edges}"] for edges in EDGE_COUNTS], "o-", label=name)
    axes.set(xlabel="directed edges a graph", ylabel="seconds a step", ylim=(0, None))
    axes.set_title(f"Fusion alone, {sequences} graphs of {NODES} nodes")
    axes.legend()
    figure.savefig(plot, dpi=120)


def measure_large() -> None:
    """One step of a model of RoBERTa-large's size, and the process's highest resident size."""
    backbone = RobertaConfig(
        vocab_size=50265,
        hidden_size=1024,
        num_hidden_layers=24,
        num_attention_heads=16,
        intermediate_size=4096,
        max_position_embeddings=514,
        type_vocab_size=1,
    )
    entities = 800_000
    config = config_of(backbone, num_fusion_layers=5, num_entities=entities, entities="frozen")
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "entities.npy"
        np.lib.format.open_memmap(table, "w+", np.float32, (entities, backbone.hidden_size)).flush()
        model = DragonForPreTraining(config).train()
        model.dragon.load_entities(table)
        optimizer = torch.optim.AdamW(model.parameters())
        arguments = as_arguments(random_inputs(SEQUENCES, TOKENS, NODES, EDGES, TRIPLES, NEGATIVES, config), config)
        started = time.perf_counter()
        step_of(model, arguments)()
        optimizer.step()
        seconds = time.perf_counter() - started
    gigabytes = memory_of("VmHWM") / 1e9
    line = {"measure": "RoBERTa-large, one step with AdamW", "gigabytes": round(gigabytes, 2), "required": "<= 20"}
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(json.dumps(line | {"seconds": round(seconds, 1), "parameters": parameters}), flush=True)


def memory_of(field: str) -> int:
    """Bytes of a field of this process's status: VmHWM is the highest resident size, VmRSS the present one."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) * 1024


def peak_of(*arguments: str) -> int:
    """What a process of this module prints as its peak."""
    command = [sys.executable, "-m", "benchmarks.model", *arguments]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def print_fusion_memory(name: str, sequences: int) -> None:
    """Print the bytes that a step of the fusion needs above what is there before it."""
    step = fusion_steps(sequences)[name]
    # Kernels that load at their first use are no part of it.
    fusion_steps(sequences, nodes=4, edges=8, triples=2)[name]()
    before = memory_of("VmRSS")
    # Resets VmHWM.
    Path("/proc/self/clear_refs").write_text("5")
    step()
    print(memory_of("VmHWM") - before)


def main() -> None:
    """Measure, and print a JSON line a result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    parser.add_argument("--repeats", type=int, default=9, help="steps that a median is taken over")
    parser.add_argument("--sequences", type=int, default=SEQUENCES, help="of a batch")
    parser.add_argument("--plot", type=Path, help="where to draw time by edges, a PNG")
    parser.add_argument("--large", action="store_true", help="one step of a large model instead")
    parser.add_argument("--fusion-memory", choices=["model", "naive"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    if options.fusion_memory:
        print_fusion_memory(options.fusion_memory, options.sequences)
    elif options.large:
        measure_large()
    else:
        measure_steps(options.repeats, options.sequences)
        measure_fusion(options.repeats, options.threads, options.sequences)
        measure_edges(options.repeats, options.sequences, options.plot)


if __name__ == "__main__":
    main()
