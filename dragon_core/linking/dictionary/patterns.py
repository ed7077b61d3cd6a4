"""What the dictionary linker looks for: the names and aliases of all nodes, in all their forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import daachorse
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from dragon_core.artifacts import Progress, silent
from dragon_core.linking.dictionary.inflection import EXACT_SCORE, RELATED_SCORE, forms_of_name
from dragon_core.linking.dictionary.normalization import normalize_names
from dragon_core.linking.mention import Float32s, Int32s, Int64s
from dragon_core.linking.parameters import DictionaryParams
from dragon_core.linking.words import FUNCTION_WORDS, PRONOUNS

NAMES_OF_A_CHUNK = 50_000


@dataclass(frozen=True)
class Patterns:
    """What stands in text for which nodes (P patterns, C candidates).

    Attributes:
        texts: [P] normalised forms of names between spaces, in UTF-8, sorted and unique.
        offsets: [P + 1] the candidates of pattern `i` are `offsets[i]:offsets[i + 1]`, the best first.
        nodes: [C] node ids.
        scores: [C] in (0, 1].
    """

    texts: list[bytes]
    offsets: Int64s
    nodes: Int32s
    scores: Float32s

    @classmethod
    def of(cls, nodes: pa.Table, params: DictionaryParams, progress: Progress = silent) -> Self:
        """The patterns of a node table (`graph.schema.NODES`).

        Of equal scores a name counts before an alias, then the shorter name (what was folded away is no part of the
        pattern), then the first node.
        """
        ids, names, is_alias = _names(nodes)
        chunks = []
        for start in range(0, len(names), NAMES_OF_A_CHUNK):
            chunks.append(_forms(ids, names, is_alias, slice(start, start + NAMES_OF_A_CHUNK), params))
            progress(min(start + NAMES_OF_A_CHUNK, len(names)), len(names))
        forms = pl.concat(chunks) if chunks else _forms(ids, names, is_alias, slice(0), params)
        best_first = ["pattern", "score", "is_alias", "name_length", "node"]
        forms = forms.sort(best_first, descending=[False, True, False, False, False])
        forms = forms.unique(["pattern", "node"], keep="first", maintain_order=True)
        # Related words stand in only where the graph has no node for the word itself.
        is_related = pl.col("score") <= RELATED_SCORE
        forms = forms.filter(~is_related | is_related.first().over("pattern"))
        forms = forms.filter(pl.int_range(pl.len()).over("pattern") < params.max_candidates)
        counts = forms.group_by("pattern", maintain_order=True).len()
        return cls(
            texts=counts.select(pl.format(" {} ", "pattern").cast(pl.Binary)).to_series().to_list(),
            offsets=np.concatenate([[0], counts["len"].to_numpy().cumsum()]).astype(np.int64),
            nodes=forms["node"].to_numpy(),
            scores=forms["score"].to_numpy(),
        )

    def automaton(self) -> "daachorse.DoubleArrayAhoCorasick":
        """The automaton that finds the patterns; building it takes several times the memory of what is built."""
        # An automaton of nothing cannot be built, and a text never holds two spaces.
        return daachorse.DoubleArrayAhoCorasick(self.texts or [b"  "])


def _names(nodes: pa.Table) -> tuple[Int32s, list[str], npt.NDArray[np.bool_]]:
    """Node, text, and whether it is an alias, of all names."""
    aliases = nodes["aliases"].combine_chunks()
    counts = np.diff(aliases.offsets.to_numpy()) if len(aliases) else np.zeros(0, np.int64)
    own = np.arange(nodes.num_rows, dtype=np.int32)
    ids = np.concatenate([own, np.repeat(own, counts)])
    names = [*nodes["name"].to_pylist(), *aliases.flatten().to_pylist()]
    return ids, names, np.arange(len(names)) >= nodes.num_rows


def _forms(
    ids: Int32s, names: Sequence[str], is_alias: npt.NDArray[np.bool_], chunk: slice, params: DictionaryParams
) -> pl.DataFrame:
    stop_phrases = frozenset(normalize_names(params.stop_phrases))
    rows = [
        (node, alias, len(raw), form, score)
        for node, alias, raw, name in zip(
            ids[chunk].tolist(), is_alias[chunk].tolist(), names[chunk], normalize_names(names[chunk]), strict=True
        )
        if name and name.count(" ") < params.max_words and not (params.stop_words and says_little(name))
        for form, score in (forms_of_name(name) if params.inflections else {name: EXACT_SCORE}).items()
        if form not in stop_phrases and not (params.stop_words and says_little(form))
    ]
    schema = {
        "node": pl.Int32,
        "is_alias": pl.Boolean,
        "name_length": pl.Int32,
        "pattern": pl.String,
        "score": pl.Float32,
    }
    return pl.DataFrame(rows, schema, orient="row")


def says_little(form: str) -> bool:
    """Whether a normalised form is nothing but function words, one character or number, or has a pronoun at an end."""
    words = form.split(" ")
    if words[0] in PRONOUNS or words[-1] in PRONOUNS or (len(words) == 1 and (len(form) < 2 or form.isnumeric())):
        return True
    return all(word in FUNCTION_WORDS for word in words)
