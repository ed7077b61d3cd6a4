"""What extraction of subgraphs costs: `python -m benchmarks.subgraphs [--quick]`.

On ConceptNet (its two subsets) the published recipe (`baselines/networkx_subgraphs.py`) runs beside in the same
process, one core, interleaved, on the same questions of CommonsenseQA with all their choices, and has to give the same
nodes and edges; rates are medians. A generated graph has the size and the degree law of all of ConceptNet. Whole
corpora, of real sentences drawn with replacement, are linked and extracted by the task runner of the flows. `--quick`
measures the same on less.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from prefect import flow
from prefect.testing.utilities import prefect_test_harness

from benchmarks.baselines.networkx_subgraphs import NetworkxExtractor, Triple
from benchmarks.conceptnet import conceptnet_tables, linked_statements, questions
from benchmarks.corpora import (
    SEGMENTS_OF_A_SHARD,
    ConceptNetParams,
    ConceptNetSubsets,
    RandomEntityTable,
    RandomTextVectors,
    Sentences,
    SentencesParams,
    sentences,
)
from benchmarks.generated_graphs import generated_triples
from benchmarks.reporting import report, report_machine, seconds_of, writer_of
from dragon_core.artifacts import ArtifactReference, ArtifactStore, Stage, begin, commit, make, make_shards
from dragon_core.embedding import EmbedTexts
from dragon_core.embedding.encoder import find_encoder
from dragon_core.graph import GraphTables, KnowledgeGraph, Relation, write_graph
from dragon_core.graph.schema import EDGES, NODES
from dragon_core.linking import BuildLinker, DictionaryParams, LinkEntities
from dragon_core.subgraph import ExtractSubgraphs, NamedNodes, SubgraphBatch, SubgraphExtractor, SubgraphParams
from dragon_core.subgraph.params import LARGEST_SUBGRAPH
from dragon_core.subgraph.relevance import DegreeRelevance
from flows.stage_runner import SHARDS_OF_A_GROUP, run_stage
from flows.task_runners import Processes, started
from tests.shared_data import SHARED_DATA

# No limits, as the recipe has none.
AS_THE_RECIPE = SubgraphParams(relevance="degree", hub_cap=None, max_nodes=LARGEST_SUBGRAPH)
LONGEST = DictionaryParams(overlap="longest")
LINKED_OF_A_TEXT = 12
WORKERS = 2
# A group of shards for each worker.
FIRST_SEGMENTS = WORKERS * SHARDS_OF_A_GROUP * SEGMENTS_OF_A_SHARD


def measure_recipe(graph: KnowledgeGraph, mentions: str, linking: DictionaryParams, texts: int, repeats: int) -> None:
    """Beside the recipe on ConceptNet, and whether both extract the same."""
    recipe = NetworkxExtractor(graph)
    extractor = SubgraphExtractor(graph, AS_THE_RECIPE, DegreeRelevance())
    named = linked_statements(graph, questions("train", "dev")[:texts], linking)
    linked = [list(dict.fromkeys(row)) for row in _rows(named.offsets, named.nodes)]
    by_recipe: list[tuple[set[int], list[Triple]]] = []
    by_us: list[SubgraphBatch] = []
    calls: dict[str, Callable[[], object]] = {
        "recipe": lambda: by_recipe.__setitem__(slice(None), map(recipe.extract, linked)),
        "ours": lambda: by_us.append(extractor.extract(named)),
    }
    extractor.extract(named)
    seconds = seconds_of(calls, repeats)
    batch = by_us[-1]
    equal = sum(_as_sets(batch, text) == (nodes, set(edges)) for text, (nodes, edges) in enumerate(by_recipe))
    report(
        f"ConceptNet, {mentions} mentions, subgraphs/s over the recipe's",
        seconds["recipe"] / seconds["ours"],
        "x",
        texts,
        100,
        300,
        subgraphs_per_second={name: round(texts / value, 1) for name, value in seconds.items()},
        nodes=round(len(batch.node_id) / texts, 1),
        edges=round(len(batch.head) / texts, 1),
        graph=[graph.num_nodes, graph.num_edges],
        equal=f"{equal} of {texts}",
    )


def measure_generated(num_nodes: int, num_edges: int, hub: int, texts: int) -> None:
    """Rate and memory on a graph of ConceptNet's size, texts naming nodes as often as these have edges."""
    with tempfile.TemporaryDirectory() as folder:
        write_generated(Path(folder), num_nodes, num_edges, hub)
        command = [sys.executable, "-m", "benchmarks.subgraphs", "--worker", folder, "--texts", str(texts)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    rate, details = found.pop("rate"), {"graph": [num_nodes, found.pop("edges")], "largest_hub": found.pop("hub")}
    report("generated graph, subgraphs/s of a core", rate, "1/s", texts, 3000, 10_000, **details | found["default"])
    report("generated graph, without a cap on hubs", found["uncapped_rate"], "1/s", texts, **found["uncapped"])
    memory, worker = found["graph_megabytes"], found["worker_megabytes"]
    report("generated graph, memory of a worker", memory, "MB", 1, 300, 100, "lower", whole_worker=worker)


def write_generated(folder: Path, num_nodes: int, num_edges: int, hub: int) -> None:
    """Write a random graph of 17 relations."""
    heads, relations, tails = generated_triples(num_nodes, num_edges, 17, hub, seed=0)
    names = [f"node {node}" for node in range(num_nodes)]
    empty = pa.array([[]] * num_nodes, pa.list_(pa.string()))
    nodes = {"key": names, "name": names, "aliases": empty, "description": [""] * num_nodes, "types": empty}
    edges = [heads, relations, tails, np.ones(len(heads))]
    tables = GraphTables(
        pa.Table.from_pydict(nodes, schema=NODES),
        [Relation(f"relation {number}", "{head} {tail}") for number in range(17)],
        pa.Table.from_arrays([pa.array(a).cast(f.type) for a, f in zip(edges, EDGES, strict=True)], schema=EDGES),
    )
    write_graph(writer_of(folder), tables)


def print_worker(folder: Path, texts: int) -> None:
    """Open a graph, extract, and print rates and memory."""
    start = _anonymous_megabytes()
    graph = KnowledgeGraph.open(folder)
    default = SubgraphExtractor(graph, SubgraphParams(relevance="degree"), DegreeRelevance())
    ends = np.random.default_rng(1).integers(len(graph.adjacency.neighbours), size=(texts, LINKED_OF_A_TEXT))
    nodes = graph.adjacency.neighbours[ends].astype(np.int32)
    offsets = np.arange(0, nodes.size + 1, LINKED_OF_A_TEXT, dtype=np.int64)
    batches = [
        NamedNodes(offsets[: len(rows) + 1], rows.ravel(), np.ones(rows.size, np.float32))
        for rows in np.array_split(nodes, max(texts // 1024, 1))
    ]
    # The code is compiled, and the graph's pages are read, before anything is measured.
    default.extract(batches[0])
    result: dict[str, Any] = {"edges": graph.num_edges, "hub": int(graph.degrees.max())}
    result["rate"], result["default"] = _rate(default, batches)
    result |= {"graph_megabytes": _anonymous_megabytes() - start, "worker_megabytes": round(_anonymous_megabytes())}
    result["uncapped_rate"], result["uncapped"] = _rate(
        SubgraphExtractor(graph, SubgraphParams(relevance="degree", hub_cap=None), DegreeRelevance()), batches
    )
    print(json.dumps(result))


def _rate(extractor: SubgraphExtractor, batches: Sequence[NamedNodes]) -> tuple[float, dict[str, Any]]:
    started = time.perf_counter()
    sizes = np.array([(len(b), len(b.node_id), len(b.head)) for b in map(extractor.extract, batches)]).sum(0)
    seconds = time.perf_counter() - started
    return sizes[0] / seconds, {"nodes": round(sizes[1] / sizes[0], 1), "edges": round(sizes[2] / sizes[0], 1)}


def measure_forwards(store: ArtifactStore, graph: ArtifactReference, segments: int) -> None:
    """Sequences that an encoder reads for the relevance of an example: anew, cached, and by the published scoring."""
    stages = _stages(store, graph, segments)
    read = {"similarity": 0, "lm": 0}
    import torch
    from torch.nn.modules.module import register_module_forward_hook
    from transformers import BertModel

    counting = "similarity"

    def count(module: torch.nn.Module, inputs: object, output: Any) -> None:
        if isinstance(module, BertModel):
            read[counting] += len(output[0])

    with register_module_forward_hook(count):
        make(EmbedTexts(corpus=stages["mentions"].corpus, encoder=find_encoder("embedded")), store)
        embedded = read["similarity"]
        make(stages["mentions"], store)
        make(stages["subgraphs"], store)
        cached = read["similarity"] - embedded
        counting = "lm"
        inputs = {name: getattr(stages["subgraphs"], name) for name in ("mentions", "corpus", "graph")}
        published = ExtractSubgraphs(**inputs, encoder=find_encoder("embedded"), params=SubgraphParams(relevance="lm"))
        make(published, store)
    report("relevance, forwards an example", embedded / segments, "1", segments, 1, 0, "lower")
    report("relevance, forwards an example of cached text", cached / segments, "1", segments, 1, 0, "lower")
    report("relevance, forwards an example by the published scoring", read["lm"] / segments, "1", segments)


def measure_corpus(store: ArtifactStore, graph: ArtifactReference, segments: int) -> None:
    """Minutes that the flows' task runner takes for a corpus, and how much faster two processes are than one."""
    stages, first = _stages(store, graph, segments), _stages(store, graph, min(FIRST_SEGMENTS, segments))
    with prefect_test_harness(server_startup_timeout=120):
        started_anew = link_and_extract([stages], store.url, WORKERS)
        subgraphs = store.get(stages["subgraphs"].reference).manifest
        running = {workers: link_and_extract([first, stages], store.url, workers) for workers in (WORKERS, 1)}
    report(
        "link and extract on two processes",
        sum(started_anew.values()) / 60,
        "min",
        segments,
        6,
        3,
        "lower",
        seconds=started_anew,
        of_a_segment={name: round(subgraphs.counts[name] / segments, 1) for name in ("nodes", "edges")},
        megabytes=round(sum(file.size for file in subgraphs.files) / 1e6),
    )
    speed_up = sum(running[1].values()) / sum(running[WORKERS].values())
    seconds = {f"{workers} processes": found for workers, found in running.items()}
    report("speed-up from one running process to two", speed_up, "x", segments, 1.8, 1.95, seconds=seconds)


@flow
def link_and_extract(corpora: list[dict[str, Any]], store_url: str, workers: int) -> dict[str, float]:
    """Make the stages of corpora anew by one task runner; gives the seconds of those of the last."""
    seconds = {}
    with started(Processes(workers=workers)) as runner:
        for stages in corpora:
            for stage in stages.values():
                ArtifactStore(store_url).folder(stage.reference).delete()
            for name, stage in stages.items():
                began = time.perf_counter()
                run_stage(stage, store_url, runner)
                seconds[name] = round(time.perf_counter() - began, 1)
    return seconds


def measure_memory(store: ArtifactStore, graph: ArtifactReference, segments: int) -> None:
    """How the peak of a process' memory grows from the first tenth of a corpus to all of it."""
    peaks: dict[str, list[float]] = {}
    for name, stage in _stages(store, graph, segments).items():
        store.folder(stage.reference).delete()
        names = begin(stage, store)
        # Not forked, so that the memory is its own.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            peaks[name] = pool.submit(_make, stage, store.url, names).result()
        commit(stage, store)
    growth = max(last / first for first, last in peaks.values()) - 1
    details = {name: [round(value) for value in pair] for name, pair in peaks.items()}
    report("memory growth by ten times the segments", growth, "share", segments, 0.05, 0, "lower", megabytes=details)


def _make(stage: Stage, store_url: str, names: Sequence[str]) -> list[float]:
    """Make shards; gives the peak of memory after a tenth of them, and after all, in MB."""
    peaks: list[float] = []

    def progress(done: int, total: int, /, **numbers: float) -> None:
        if done in (max(total // 10, 1), total):
            peaks.append(_status("VmHWM"))

    make_shards(stage, ArtifactStore(store_url), names, progress)
    return peaks


def _stages(store: ArtifactStore, graph: ArtifactReference, segments: int) -> dict[str, Any]:
    """Linking and extraction of a corpus, whose inputs are made."""
    encoder = find_encoder("embedded")
    corpus = make(Sentences(params=SentencesParams(segments=segments)), store).reference
    linker = make(BuildLinker(graph=graph, params=LONGEST), store).reference
    mentions = LinkEntities(corpus=corpus, graph=graph, linker=linker)
    subgraphs = ExtractSubgraphs(
        mentions=mentions.reference,
        corpus=corpus,
        graph=graph,
        entity_table=make(RandomEntityTable(graph=graph, encoder=encoder), store).reference,
        text_vectors=make(RandomTextVectors(corpus=corpus, encoder=encoder), store).reference,
    )
    # In the order in which they are made.
    return {"mentions": mentions, "subgraphs": subgraphs}


def _rows(offsets: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> list[list[int]]:
    return [values[start:end].tolist() for start, end in pairwise(offsets)]


def _as_sets(batch: SubgraphBatch, text: int) -> tuple[set[int], set[Triple]]:
    ids = batch.node_id[batch.node_offsets[text] : batch.node_offsets[text + 1]]
    row = slice(batch.edge_offsets[text], batch.edge_offsets[text + 1])
    columns = (ids[batch.head[row]], batch.relation[row], ids[batch.tail[row]])
    return set(ids.tolist()), set(zip(*(column.tolist() for column in columns), strict=True))


def _anonymous_megabytes() -> float:
    """Memory of this process that it shares with no file, in MB."""
    return _status("RssAnon")


def _status(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1e3


def main() -> None:
    """Measure, and print a JSON line a result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less work: in some minutes")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--texts", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print_worker(options.worker, options.texts)
        return
    report_machine()
    quick = options.quick
    if quick:
        measure_generated(50_000, 150_000, 3_000, texts=5_000)
    else:
        measure_generated(800_000, 2_500_000, 50_000, texts=50_000)
    if conceptnet_tables() is None or not sentences():
        print(f"The data are not in {SHARED_DATA}: what is measured on ConceptNet is left out.", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        store = ArtifactStore(folder)
        made = make(ConceptNetSubsets(params=ConceptNetParams(every=50 if quick else 1)), store)
        graph = KnowledgeGraph.open(made.folder)
        # As `pipelines.yaml` links, and as the published recipe does.
        measure_recipe(graph, "longest", LONGEST, texts=20 if quick else 500, repeats=1 if quick else 5)
        one_a_name = DictionaryParams(max_candidates=1)
        measure_recipe(graph, "all", one_a_name, texts=5 if quick else 200, repeats=1 if quick else 5)
        measure_forwards(store, made.reference, segments=5 if quick else 500)
        segments = 2_000 if quick else 1_000_000
        measure_memory(store, made.reference, segments)
        measure_corpus(store, made.reference, segments)


if __name__ == "__main__":
    main()
