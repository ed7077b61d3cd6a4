"""Random graphs of the size and shape of real ones, and the files that real ones come in."""

import gzip
import re
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from dragon_core.graph.relations import packaged_rows

Int32s = npt.NDArray[np.int32]
Int16s = npt.NDArray[np.int16]
Float64s = npt.NDArray[np.float64]

# Degrees fall with the rank to this power, which is a power law of degrees with the exponent 1 + 1 / 0.8 = 2.25.
FALL_OF_DEGREES = 0.8
CONSONANTS, VOWELS = "bcdfghjklmnprstvwz", "aeiou"
LINES_PER_WRITE = 500_000
ASSERTION = "\t".join(
    (
        "/a/[/r/{relation}/,{head}/,{tail}/]",
        "/r/{relation}",
        "{head}",
        "{tail}",
        '{"dataset": "/d/conceptnet/4/en", "license": "cc:by/4.0", "sources": [{"activity": "/s/activity/omcs/nothing",'
        ' "contributor": "/s/contributor/omcs/nobody"}], "surfaceEnd": "{tail}", "weight": {weight}}',
    )
)
# REL and RELA of a row, and those of its inverse.
UMLS_RELATIONS = (
    ("CHD", "isa", "PAR", "inverse_isa"),
    ("RO", "may_treat", "RO", "may_be_treated_by"),
    ("RO", "has_finding_site", "RO", "finding_site_of"),
    ("SIB", "", "SIB", ""),
    ("RN", "", "RB", ""),
    ("RO", "has_ingredient", "RO", "ingredient_of"),
    ("RO", "has_made_up_role", "RO", "made_up_role_of"),
    ("AQ", "", "QB", ""),
)


def generated_triples(
    nodes: int, edges: int, relations: int, largest_hub: int, seed: int
) -> tuple[Int32s, Int16s, Int32s]:
    """Edges whose nodes have degrees by a power law; loops and repeated edges occur, as in raw data.

    Ends of edges are drawn independently in proportion to the expected degree of their node (Chung and Lu, 2002), but
    for one end of each node.

    Args:
        nodes: Number of nodes; each has an edge. At most 2 `edges`.
        edges: Number of edges.
        relations: Number of relations, used as the inverse of their rank.
        largest_hub: Expected edges at the most connected node, repeated ones counted.
        seed: Of the random numbers.

    Returns:
        heads [edges] int32, relations [edges] int16, tails [edges] int32.
    """
    random = np.random.default_rng(seed)
    further = np.maximum(_expected_degrees(nodes, 2 * edges, largest_hub) - 1, 0)
    bounds = np.cumsum(further)
    drawn = np.searchsorted(bounds, random.random(2 * edges - nodes) * bounds[-1], side="right")
    ends = np.concatenate([np.arange(nodes), drawn]).astype(np.int32)
    ends = random.permutation(nodes).astype(np.int32)[ends]
    random.shuffle(ends)
    shares = 1 / np.arange(1, relations + 1)
    kinds = random.choice(relations, edges, p=shares / shares.sum()).astype(np.int16)
    return ends[:edges], kinds, ends[edges:]


def write_conceptnet(path: Path, nodes: int, edges: int, largest_hub: int, seed: int = 0) -> None:
    """Write English assertions in the format of ConceptNet 5, compressed with gzip."""
    names = [row["source"] for row in packaged_rows("dragon_core.graph.conceptnet", "merge.csv") if row["relation"]]
    heads, relations, tails = generated_triples(nodes, edges, len(names), largest_hub, seed)
    random = np.random.default_rng(seed)
    senses = pl.Series(["", "/n", "/v", "/n/wn/artifact"]).gather(random.choice(4, nodes, p=[0.6, 0.2, 0.1, 0.1]))
    words = made_up_words(nodes, seed)
    concepts = pl.DataFrame({"concept": words, "sense": senses}).select(pl.format("/c/en/{}{}", "concept", "sense"))
    columns = {
        "relation": pl.Series(names).gather(relations.astype(np.int64)),
        "head": concepts.to_series().gather(heads),
        "tail": concepts.to_series().gather(tails),
        "weight": pl.Series(["0.5", "1.0", "2.0", "3.464"]).gather(random.choice(4, edges)),
    }
    with gzip.open(path, "wb", compresslevel=1) as file:
        _write_lines(cast(IO[bytes], file), pl.DataFrame(columns), ASSERTION)


def write_umls(folder: Path, concepts: int, names: int, relationships: int, largest_hub: int, seed: int = 0) -> None:
    """Write a Metathesaurus: MRCONSO, MRREL (each relation and its inverse), MRSTY, MRDEF and MRDOC."""
    random = np.random.default_rng(seed)
    nodes = pl.DataFrame({"number": np.arange(concepts), "name": made_up_words(concepts, seed)}).select(
        key=pl.format("C{}", pl.col("number").cast(pl.String).str.zfill(7)), name=pl.col("name").str.replace("_", " ")
    )
    owners = np.sort(np.concatenate([np.arange(concepts), random.integers(0, concepts, names - concepts)]))
    is_preferred = pl.Series(np.diff(owners, prepend=-1) > 0)
    atoms = nodes[owners].with_columns(
        atom=pl.int_range(pl.len()),
        TS=pl.when(is_preferred).then(pl.lit("P")).otherwise(pl.lit("S")),
        STT=pl.when(is_preferred).then(pl.lit("PF")).otherwise(pl.lit("VO")),
        variant=pl.when(is_preferred).then(pl.lit("")).otherwise(pl.format(", variety {}", pl.int_range(pl.len()))),
    )
    heads, kinds, tails = generated_triples(concepts, relationships // 2, len(UMLS_RELATIONS), largest_hub, seed)
    labels = pl.DataFrame(UMLS_RELATIONS, ("REL", "RELA", "inverse_REL", "inverse_RELA"), orient="row")
    relations = labels[kinds.astype(np.int64)].with_columns(
        head=nodes["key"].gather(heads), tail=nodes["key"].gather(tails)
    )
    inverse = relations.select(REL="inverse_REL", RELA="inverse_RELA", head="tail", tail="head")
    types = nodes.with_columns(type=random.integers(10, 100, concepts))
    for name, template, rows in (
        ("MRCONSO", "{key}|ENG|{TS}|L1|{STT}|S{atom}|Y|A{atom}||M1|D1|MSH|MH|D1|{name}{variant}|0|N|256|", atoms),
        (
            "MRREL",
            "{tail}|A1|AUI|{REL}|{head}|A2|AUI|{RELA}|R1||MSH|MSH|||N||",
            pl.concat([relations.select(inverse.columns), inverse]),
        ),
        ("MRSTY", "{key}|T{type}|A1.{type}|Made-up Type {type}|AT1||", types),
        ("MRDEF", "{key}|A1|AT1||MSH|What is called {name} wherever nothing else is meant by it.|N||", nodes[::8]),
        ("MRDOC", "RELA|{RELA}|rela_inverse|{inverse_RELA}|", labels.filter(pl.col("RELA") != "")),
    ):
        with (folder / f"{name}.RRF").open("wb") as file:
            _write_lines(file, rows, template)


def made_up_words(number: int, seed: int) -> pl.Series:
    """Distinct pronounceable words, some of two parts joined by an underscore."""
    random = np.random.default_rng(seed)
    syllables = [c + v for c in CONSONANTS for v in VOWELS]
    digits = random.permutation(number).astype(np.int64)
    parts: list[pl.Series] = []
    while not parts or digits.any():
        parts.append(pl.Series(syllables).gather(digits % len(syllables)))
        digits = digits // len(syllables)
    joint = pl.Series(["", "_"]).gather(random.integers(0, 2, number))
    word = parts[0] + joint
    for part in parts[1:]:
        word = word + part
    return word


def _expected_degrees(nodes: int, total: int, largest: int) -> Float64s:
    """Degrees by rank that begin with `largest`, fall by a power law and add up to `total`."""
    ranks = np.arange(nodes)
    low, high = 1e-6, 1e3 * nodes
    for _ in range(60):
        shift = np.sqrt(low * high)
        degrees: Float64s = largest * (1 + ranks / shift) ** -FALL_OF_DEGREES
        low, high = (shift, high) if degrees.sum() < total else (low, shift)
    return degrees


def _write_lines(file: IO[bytes], rows: pl.DataFrame, template: str) -> None:
    """Write a line for each row: the template, with the values of the columns that it names in braces."""
    parts = re.split(r"\{(\w+)\}", template)
    line = pl.concat_str([pl.col(part) if place % 2 else pl.lit(part) for place, part in enumerate(parts)])
    for start in range(0, len(rows), LINES_PER_WRITE):
        lines = rows[start : start + LINES_PER_WRITE].select(line.alias("line"))["line"]
        file.write(lines.str.join("\n").item().encode() + b"\n")
