"""How well the concept linker finds and links the diseases of the NCBI disease corpus, and how fast.

Dogan, Leaman and Lu, NCBI disease corpus, Journal of Biomedical Informatics 47, 2014. A mention is right if a gold
mention has its two offsets in `title + " " + abstract` and its first node is the gold concept: the MEDIC concept that
has the gold id as its id or as an alternative one. Of a gold mention with several ids (`A|B`, `A+B`) any one counts.
Gold mentions whose id MEDIC lacks count as missed.

Run it as `python -m benchmarks.concept_gold --split dev`; it prints a JSON line a result.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import fsspec
import pyarrow as pa

from benchmarks.reporting import report
from dragon_core.artifacts.draft import Writer
from dragon_core.artifacts.folder import Folder
from dragon_core.artifacts.progress import silent
from dragon_core.graph.schema import NODES
from dragon_core.linking.concept.annotations import AnnotatedDocument, read_pubtator
from dragon_core.linking.concept.linker import ConceptLinker, build_concept
from dragon_core.linking.dictionary.linker import DictionaryLinker
from dragon_core.linking.mention import Mention
from dragon_core.linking.parameters import ConceptParams, DictionaryParams
from tests.shared_data import SHARED_DATA

FOLDER = SHARED_DATA / "ncbi_disease"
FILES = {"train": "NCBItrainset_corpus.txt", "dev": "NCBIdevelopset_corpus.txt", "test": "NCBItestset_corpus.txt"}
# What may be learned from when a split is scored.
LEARNED_FROM = {"dev": ("train",), "test": ("train", "dev")}
REPEATS = 5


def medic(path: Path) -> tuple[pa.Table, dict[str, int]]:
    """Node table of a MEDIC dictionary, and the node of each id and alternative id.

    Args:
        path: Lines `id|alternative id|...||name|alias|...`.
    """
    rows, nodes = [], {}
    for node, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        ids, names = line.split("||", 1)
        key, *alternatives = ids.split("|")
        name, *aliases = names.split("|")
        rows.append({"key": key, "name": name, "aliases": aliases, "description": ""})
        for some in (key, *alternatives):
            nodes.setdefault(some, node)
    return pa.Table.from_pylist(rows, schema=NODES), nodes


def scores(documents: Sequence[AnnotatedDocument], linked: Iterable[Sequence[Mention]]) -> dict[str, float]:
    """Precision, recall and F1 of exact spans with the right node; the first node of a span counts."""
    right = found = 0
    for document, mentions in zip(documents, linked, strict=True):
        gold = {(annotation.start, annotation.end): annotation.nodes for annotation in document.annotations}
        first: dict[tuple[int, int], int] = {}
        for mention in mentions:
            first.setdefault((mention.start, mention.end), mention.node)
        found += len(first)
        right += sum(node in gold.get(span, ()) for span, node in first.items())
    total = sum(len(document.annotations) for document in documents)
    return {"precision": right / max(found, 1), "recall": right / total, "f1": 2 * right / max(found + total, 1)}


def built(nodes: pa.Table, annotations: Sequence[AnnotatedDocument], params: ConceptParams) -> ConceptLinker:
    """A linker, built and opened; its files are deleted, and their pages stay while it is in use."""
    with tempfile.TemporaryDirectory(prefix="linker-") as folder:
        build_concept(nodes, params, Writer(Folder(fsspec.filesystem("file"), folder)), silent, annotations)
        return ConceptLinker.open(Path(folder), params)


def texts_per_second(linker: ConceptLinker, texts: Sequence[str]) -> float:
    """The best of some runs over texts of which no mention is known beforehand."""
    rates = []
    for _ in range(REPEATS):
        linker.forget()
        start = time.perf_counter()
        linker.link(texts)
        rates.append(len(texts) / (time.perf_counter() - start))
    return max(rates)


def measure(split: str) -> None:
    """Score a split with the names alone and with what annotated documents teach, beside the longest match."""
    nodes, ids = medic(FOLDER / "medic_06Jul2012.txt")
    documents = list(read_pubtator(FOLDER / FILES[split], ids))
    texts = [document.text for document in documents]
    learned = [document for name in LEARNED_FROM[split] for document in read_pubtator(FOLDER / FILES[name], ids)]
    longest = DictionaryLinker.of(nodes, DictionaryParams(overlap="longest"))
    found = scores(documents, longest.link(texts))
    report(f"NCBI-disease {split}, dictionary, longest match, F1", found.pop("f1"), "F1", len(texts), **found)
    for name, annotations, required, aim in (("names", [], None, None), ("annotated", learned, 0.75, 0.85)):
        linker = built(nodes, annotations, ConceptParams())
        found = scores(documents, linker.link(texts))
        report(f"NCBI-disease {split}, concept, {name}, F1", found.pop("f1"), "F1", len(texts), required, aim, **found)
        rate = texts_per_second(linker, texts)
        report(f"NCBI-disease {split}, concept, {name}, abstracts", rate, "abstracts/s", len(texts), 100, 300)


def main() -> None:
    """Score a split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=sorted(LEARNED_FROM), default="dev")
    measure(parser.parse_args().split)


if __name__ == "__main__":
    main()
