"""What building and opening a graph costs: `python -m benchmarks.graphs [--quick]`.

Sources are generated in the formats of ConceptNet 5 and UMLS, with as many lines as these have. Each is built by the
real stage in a process of its own, which reports its seconds and the most memory it had. `--quick` builds small ones.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.generated_graphs import write_conceptnet, write_umls
from benchmarks.reporting import report, report_machine
from dragon_core.artifacts import ArtifactStore, ExternalFiles, make
from dragon_core.graph import KnowledgeGraph
from dragon_core.graph.sources import GraphParams
from dragon_core.graph.stage import BuildGraph

OPENINGS = 51
CONCEPTNET = {"nodes": 800_000, "edges": 3_400_000, "largest_hub": 50_000}
UMLS = {"concepts": 1_500_000, "names": 4_000_000, "relationships": 10_000_000, "largest_hub": 20_000}


def measure(source: str, folder: Path, lines: int, seconds: float | None, gigabytes: float | None) -> None:
    """Build a source in another process, and report what it took.

    Args:
        source: Which reader reads it.
        folder: The source, alone.
        lines: How many lines its edges have.
        seconds: What building may take.
        gigabytes: What memory it may take.
    """
    command = [sys.executable, "-m", "benchmarks.graphs", "--build", source, str(folder)]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    size = {name: found["counts"][name] for name in ("nodes", "edges", "relations", "rejects")}
    report(f"{source}, building", found["seconds"], "s", lines, seconds, better="lower", **size)
    report(f"{source}, memory of building", found["gigabytes"], "GB", lines, gigabytes, better="lower")
    report(f"{source}, opening", found["opening_milliseconds"], "ms", OPENINGS, better="lower")


def print_building(source: str, folder: Path) -> None:
    """Build a source and open the graph, and print what it took."""
    params = TypeAdapter(GraphParams).validate_python({"source": source})
    with tempfile.TemporaryDirectory() as store:
        started = time.perf_counter()
        stage = BuildGraph(source=ExternalFiles.of(source, folder), params=params)
        artifact = make(stage, ArtifactStore(store))
        seconds = time.perf_counter() - started
        # In KiB on Linux.
        gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        openings = []
        for _ in range(OPENINGS):
            started = time.perf_counter()
            KnowledgeGraph.open(artifact.folder)
            openings.append(time.perf_counter() - started)
    milliseconds = 1000 * statistics.median(openings)
    result = {"seconds": seconds, "gigabytes": gigabytes, "opening_milliseconds": milliseconds}
    print(json.dumps(result | {"counts": artifact.manifest.counts}))


def main() -> None:
    """Measure, and print a JSON line a result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small graphs: within a minute")
    parser.add_argument("--build", nargs=2, metavar=("SOURCE", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        source, folder = options.build
        print_building(source, Path(folder))
        return
    report_machine()
    share = 50 if options.quick else 1
    conceptnet, umls = ({name: size // share for name, size in sizes.items()} for sizes in (CONCEPTNET, UMLS))
    with tempfile.TemporaryDirectory() as folder:
        write_conceptnet(Path(folder) / "conceptnet-assertions.csv.gz", **conceptnet)
        measure("conceptnet", Path(folder), conceptnet["edges"], seconds=180, gigabytes=4)
    with tempfile.TemporaryDirectory() as folder:
        write_umls(Path(folder), **umls)
        measure("umls", Path(folder), umls["relationships"], seconds=None, gigabytes=None)


if __name__ == "__main__":
    main()
