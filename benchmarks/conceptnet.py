"""The data of the general domain that are measured on: two subsets of ConceptNet, and CommonsenseQA's questions."""

import ast
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.shared_data import SHARED_DATA

Triple = tuple[str, str, str]


def triples_of_82k() -> Iterator[Triple]:
    """(head, relation, tail) of conceptnet-82k; none if it is not there."""
    for split in ("train", "valid", "test"):
        file = SHARED_DATA / f"conceptnet-82k/{split}.txt"
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            relation, head, tail = line.split("\t")
            yield head, relation, tail


def triples_of_conceptnet4() -> Iterator[Triple]:
    """(head, relation, tail) of ConceptNet 4 without negated assertions; none if it is not there."""
    file = SHARED_DATA / "conceptnet4/conceptnet_en.graph.gz"
    if file.exists():
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                head, tail, values = line.rstrip("\n").split("\t")
                assertion = ast.literal_eval(values)
                if assertion["freq"] > 0:
                    yield head, assertion["rel"], tail


def names_of(triples: Iterator[Triple]) -> list[str]:
    """The names of all nodes, sorted."""
    return sorted({name for head, _, tail in triples for name in (head, tail)})


def questions(*splits: str) -> list[dict[str, Any]]:
    """CommonsenseQA's questions of some splits: stem, question_concept, choices; none if they are not there."""
    files = [SHARED_DATA / f"csqa/{split}_rand_split.jsonl" for split in splits]
    return [json.loads(line)["question"] for file in files for line in _lines(file)]


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
