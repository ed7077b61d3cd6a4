"""What a concept linker knows of the names of a node table and of their words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from dragon_core.artifacts.draft import Writer
from dragon_core.linking.array_files import open_arrays, write_arrays
from dragon_core.linking.concept.candidates import BUCKETS, NearestNames, gram_counts
from dragon_core.linking.concept.names import HashedNames, Names, too_general
from dragon_core.linking.concept.synonyms import equivalent_words
from dragon_core.linking.concept.words import UInt64s, hashes_of, stem
from dragon_core.linking.errors import LinkingError
from dragon_core.linking.mention import Float32s, Int32s, Int64s

TABLES = ("stems", "words")
TABLE_FIELDS = ("hashes", "offsets", "nodes", "counts", "from_graph", "preferred", "general")
VECTOR_FIELDS = ("idf", "data", "indices", "indptr")
FIELDS = (
    "name_nodes",
    "name_counts",
    "name_offsets",
    "name_words",
    "word_hashes",
    "word_nodes",
    "word_heads",
    "node_counts",
    "node_names",
)
SYNONYMS_NAME = "synonyms.json"


@dataclass(frozen=True)
class Lexicon:
    """Names of N nodes (M names, V different words in them; a word is a stem, or the one it is like).

    Attributes:
        synonyms: The word that a stem is like, where there is one.
        tables: The names by their stems, and by their words.
        nearest: The names by the 3-grams of their words.
        name_nodes: [M] node of each name.
        name_counts: [M] how often annotated documents use it for the node; 0 for a name of the graph.
        name_offsets: [M + 1] where each name's words are in `name_words`.
        name_words: the words of all names, as rows of `word_hashes`.
        word_hashes: [V] sorted hashes of the words.
        word_nodes: [V] how many nodes have the word in a name.
        word_heads: [V] how many names of the graph end with the word.
        node_counts: [N] mentions of each node in annotated documents.
        node_names: [N] number of names of each node.
    """

    synonyms: dict[str, str]
    tables: tuple[HashedNames, HashedNames]
    nearest: NearestNames
    name_nodes: Int32s
    name_counts: Float32s
    name_offsets: Int64s
    name_words: Int32s
    word_hashes: UInt64s
    word_nodes: Int32s
    word_heads: Int32s
    node_counts: Float32s
    node_names: Int32s

    @classmethod
    def of(cls, names: Names, num_nodes: int) -> Self:
        """Learn from the names of `num_nodes` nodes."""
        synonyms = equivalent_words(names)
        words = [synonyms.get(word, word) for word in names.stems]
        of_tokens = hashes_of(words)[names.tokens.ids]
        kept = of_tokens != 0
        name_of = names.tokens.texts[kept]
        offsets = np.searchsorted(name_of, np.arange(len(names.texts) + 1))
        hashes, ids = np.unique(of_tokens[kept], return_inverse=True)
        pairs = np.unique(np.stack([ids, names.nodes[name_of]]), axis=1)[0]
        word_nodes = np.bincount(pairs, minlength=len(hashes)).astype(np.int32)
        word_rows = np.full(len(of_tokens), -1)
        word_rows[kept] = ids
        general = too_general(names, word_rows, word_nodes, num_nodes)
        ends = offsets[1:][(np.diff(offsets) > 0) & names.from_graph] - 1
        return cls(
            synonyms=synonyms,
            tables=(
                HashedNames.of(names.hashes(names.stems), names, general),
                HashedNames.of(names.hashes(words), names, general),
            ),
            nearest=NearestNames.of(gram_counts(names.tokens, words)),
            name_nodes=names.nodes,
            name_counts=names.counts,
            name_offsets=offsets,
            name_words=ids.astype(np.int32),
            word_hashes=hashes,
            word_nodes=word_nodes,
            word_heads=np.bincount(ids[ends], minlength=len(hashes)).astype(np.int32),
            node_counts=np.bincount(names.nodes, names.counts, num_nodes).astype(np.float32),
            node_names=np.bincount(names.nodes, minlength=num_nodes).astype(np.int32),
        )

    def words(self, tokens: Sequence[str]) -> tuple[list[str], list[str]]:
        """The stem of each token, and the word it is like."""
        stems = [stem(token) for token in tokens]
        return stems, [self.synonyms.get(word, word) for word in stems]

    def word_rows(self, hashes: UInt64s) -> Int64s:
        """Row of each word in `word_hashes`; V for a word that is in no name."""
        if not len(self.word_hashes):
            return np.zeros(len(hashes), np.int64)
        rows = np.searchsorted(self.word_hashes, hashes).clip(max=len(self.word_hashes) - 1)
        return np.where(self.word_hashes[rows] == hashes, rows, len(self.word_hashes))

    @cached_property
    def word_weights(self) -> Float32s:
        """[V + 1] log(N / nodes with the word) of each word, and log(N) for one in no name."""
        return np.log(max(len(self.node_names), 2) / np.append(self.word_nodes, 1)).astype(np.float32)

    def write(self, writer: Writer) -> None:
        """Write the lexicon's files."""
        writer.write_json(SYNONYMS_NAME, self.synonyms)
        write_arrays(writer, "lexicon", {name: getattr(self, name) for name in FIELDS})
        for prefix, table in zip(TABLES, self.tables, strict=True):
            write_arrays(writer, prefix, {name: getattr(table, name) for name in TABLE_FIELDS})
        vectors = self.nearest.vectors
        arrays = (self.nearest.idf, vectors.data, vectors.indices, vectors.indptr)
        write_arrays(writer, "vectors", dict(zip(VECTOR_FIELDS, arrays, strict=True)))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a lexicon; its arrays are memory-mapped.

        Raises:
            LinkingError: A file is missing.
        """
        try:
            synonyms = json.loads((folder / SYNONYMS_NAME).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise LinkingError(f"{folder} holds no concept linker: {SYNONYMS_NAME} is missing; build it.") from error
        arrays = open_arrays(folder, "lexicon", FIELDS)
        stems, words = (HashedNames(**open_arrays(folder, prefix, TABLE_FIELDS)) for prefix in TABLES)
        vectors = open_arrays(folder, "vectors", VECTOR_FIELDS)
        matrix = csr_array(
            (vectors["data"], vectors["indices"], vectors["indptr"]), shape=(BUCKETS, len(arrays["name_nodes"]))
        )
        return cls(synonyms, (stems, words), NearestNames(vectors["idf"], matrix), **arrays)
