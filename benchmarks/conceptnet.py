"""The data of the general domain that are measured on: two subsets of ConceptNet, and CommonsenseQA's questions."""

import ast
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dragon_core.graph import GraphTables, KnowledgeGraph, Relation
from dragon_core.linking import DictionaryParams
from dragon_core.linking.dictionary.linker import DictionaryLinker
from dragon_core.subgraph import NamedNodes
from tests.graph.graphs import tables_of
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


def conceptnet_tables(every: int = 1) -> GraphTables | None:
    """The graph of both subsets, or of every n-th of their triples; relations as written; None if neither is there."""
    triples = sorted({*triples_of_82k(), *triples_of_conceptnet4()})[::every]
    if not triples:
        return None
    names = names_of(iter(triples))
    relations = sorted({relation for _, relation, _ in triples})
    ids, relation_ids = ({key: i for i, key in enumerate(keys)} for keys in (names, relations))
    return tables_of(
        names,
        [Relation(name, f"{{head}} {name} {{tail}}") for name in relations],
        [(ids[head], relation_ids[relation], ids[tail]) for head, relation, tail in triples],
    )


def linked_statements(graph: KnowledgeGraph, items: Sequence[dict[str, Any]], params: DictionaryParams) -> NamedNodes:
    """The nodes that questions name: the stem with all its choices, which is about as much text as a segment has."""
    linker = DictionaryLinker.of(graph.nodes, params)
    texts = [" ".join([item["stem"], *(choice["text"] for choice in item["choices"])]) for item in items]
    mentions = linker.link(texts)
    return NamedNodes(mentions.offsets, mentions.nodes, mentions.scores)
