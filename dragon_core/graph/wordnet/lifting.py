"""Lifts WordNet's relations between synsets to relations between lemmas.

Nodes are lemmas: lower-case phrases, whatever their part of speech. A relation between two words joins their lemmas. A
relation between two synsets of `m` and `n` lemmas would be `m * n` edges, all saying the same; instead every lemma of
either synset is joined to the *first* lemma of the other one (WordNet puts the most usual word first), which is
`m + n - 1` edges and leaves no lemma without the relation. All lemmas of a synset are synonyms of each other. WordNet
3.1 becomes 147,478 nodes and 582,696 edges (706,537 with all pairs); a node has 7.7 neighbours on average, 4 in the
median and at most 1,025 (`change`).

WordNet writes most relations twice, as a pointer and its inverse; both become the same edge. Which pointer means which
relation, and how relations are named, stands in `pointers.csv` and `relations.csv`.
"""

from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from dragon_core.artifacts import Progress, silent
from dragon_core.artifacts.draft import Writer
from dragon_core.graph.build import GraphTables
from dragon_core.graph.relations import packaged_relations, packaged_rows
from dragon_core.graph.schema import EDGES, NODES
from dragon_core.graph.source_params import SourceParams
from dragon_core.graph.wordnet.files import Pointer, Reject, Synset, WordNet, read_wordnet

SYNONYM = "synonym"
SYNSETS_PER_REPORT = 5000


class WordNetParams(SourceParams):
    """WordNet's dictionary files."""

    source: Literal["wordnet"] = "wordnet"


def read_wordnet_graph(root: Path, writer: Writer, progress: Progress) -> GraphTables:
    """Read the dictionary files in a folder as a graph of lemmas.

    Raises:
        WordNetError: A file is missing.
    """
    wordnet = read_wordnet(root)
    tables, dangling = wordnet_graph(wordnet, progress)
    for reject in (*wordnet.rejects, *dangling):
        writer.reject(*reject)
    writer.count(records=len(wordnet.synsets) + len(wordnet.rejects))
    return tables


def wordnet_graph(wordnet: WordNet, progress: Progress = silent) -> tuple[GraphTables, list[Reject]]:
    """Nodes and edges of WordNet's lemmas.

    A node is described by the definition of its lemma's most frequent sense; its types are the lexicographer files of
    its senses, such as `noun.animal`.

    Args:
        wordnet: The dictionary.
        progress: Told of the synsets done.

    Returns:
        The tables, and the pointers that lead nowhere or have an unknown symbol.
    """
    lemmas = sorted({lemma for synset in wordnet.synsets.values() for lemma in synset.lemmas})
    nodes = {lemma: node for node, lemma in enumerate(lemmas)}
    relations = packaged_relations(__package__)
    lifting = _Lifting(wordnet, {relation.name: number for number, relation in enumerate(relations)})
    edges = np.array(
        [
            (nodes[head], relation, nodes[tail])
            for done, synset in enumerate(wordnet.synsets.values(), start=1)
            for head, relation, tail in lifting.edges_of(synset, done, progress)
        ],
        dtype=np.int32,
    ).reshape(-1, 3)
    columns = [edges[:, 0], edges[:, 1].astype(np.int16), edges[:, 2], np.ones(len(edges), dtype=np.float32)]
    tables = GraphTables(
        nodes=pa.Table.from_pylist([_node(lemma, wordnet) for lemma in lemmas], schema=NODES),
        relations=relations,
        edges=pa.Table.from_arrays([pa.array(column) for column in columns], schema=EDGES),
    )
    return tables, lifting.rejects


class _Lifting:
    def __init__(self, wordnet: WordNet, relation_ids: dict[str, int]) -> None:
        self.rejects: list[Reject] = []
        self._synsets = wordnet.synsets
        self._synonym = relation_ids[SYNONYM]
        self._meanings = {
            (row["symbol"], row["source_part_of_speech"]): (relation_ids[row["relation"]], row["reversed"] == "true")
            for row in packaged_rows(__package__, "pointers.csv")
        }

    def edges_of(self, synset: Synset, done: int, progress: Progress) -> Iterator[tuple[str, int, str]]:
        """Edges (head, relation, tail) that one synset states."""
        for first, second in combinations(synset.lemmas, 2):
            yield first, self._synonym, second
        for pointer in synset.pointers:
            meaning = self._meaning(synset, pointer)
            if meaning is None:
                continue
            relation, is_reversed = meaning
            for source, target in _lemma_pairs(synset, pointer, self._synsets[pointer.target]):
                yield (target, relation, source) if is_reversed else (source, relation, target)
        if done % SYNSETS_PER_REPORT == 0 or done == len(self._synsets):
            progress(done, len(self._synsets))

    def _meaning(self, synset: Synset, pointer: Pointer) -> tuple[int, bool] | None:
        target = self._synsets.get(pointer.target)
        specific = self._meanings.get((pointer.symbol, synset.part_of_speech))
        meaning = specific or self._meanings.get((pointer.symbol, ""))
        if target is None:
            reason = "leads to a synset that is not there"
        elif pointer.source_word > len(synset.words) or pointer.target_word > len(target.words):
            reason = "names a word that is not there"
        elif meaning is None:
            reason = "has no known meaning"
        else:
            return meaning
        self.rejects.append(Reject("pointers", synset.id, f"its pointer {pointer.symbol} to {pointer.target} {reason}"))
        return None


def _lemma_pairs(source: Synset, pointer: Pointer, target: Synset) -> Iterator[tuple[str, str]]:
    sources, targets = source.lemmas, target.lemmas
    if pointer.source_word and pointer.target_word:
        yield sources[pointer.source_word - 1], targets[pointer.target_word - 1]
        return
    yield from product(sources[:1], targets)
    yield from product(sources[1:], targets[:1])


def _node(lemma: str, wordnet: WordNet) -> dict[str, object]:
    senses = wordnet.senses.get(lemma, [])
    description = wordnet.synsets[senses[0]].definition if senses else ""
    types = list(dict.fromkeys(wordnet.synsets[sense].lexicographer_file for sense in senses))
    key = lemma.replace(" ", "_")
    return {"key": key, "name": lemma, "aliases": [], "description": description, "types": types}
