"""The types of a graph's edges, and what a source's own names for relations mean in them."""

import csv
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Self

import numpy as np
import polars as pl

from dragon_core.graph.errors import GraphError

# An adjacency array tells relations, and their inverses as negative numbers, by int16.
MAX_RELATIONS = np.iinfo(np.int16).max


@dataclass(frozen=True)
class Relation:
    """A type of edge.

    Attributes:
        name: What it is called, such as `part of`.
        template: An English sentence with the places `{head}` and `{tail}`.
        symmetric: Whether an edge says the same in both directions; it is stored once, its smaller node as the head.
    """

    name: str
    template: str
    symmetric: bool = False


@dataclass(frozen=True)
class Meaning:
    """What a source's name for a relation stands for.

    Attributes:
        relation: Position of the relation.
        is_reversed: Whether the source's head is the edge's tail.
    """

    relation: int
    is_reversed: bool


@dataclass(frozen=True)
class RelationTable:
    """The relations of a graph.

    Attributes:
        relations: In the order of their ids.
        meanings: What each of the source's names stands for; None: such edges are left out. Names that are not here
            are unknown.
    """

    relations: list[Relation]
    meanings: Mapping[str, Meaning | None]

    @classmethod
    def packaged(cls, package: str, names: str = "relations.csv", merge: str = "merge.csv") -> Self:
        """The table of two data files of a package.

        Args:
            package: Such as `dragon_core.graph.conceptnet`.
            names: File with the columns name, template, symmetric.
            merge: File with the columns source, relation (empty: left out), reversed.
        """
        relations = packaged_relations(package, names)
        ids = {relation.name: number for number, relation in enumerate(relations)}
        meanings = {
            row["source"]: Meaning(ids[row["relation"]], row["reversed"] == "true") if row["relation"] else None
            for row in packaged_rows(package, merge)
        }
        return cls(relations, meanings)

    @classmethod
    def as_written(cls, names: Iterable[str]) -> Self:
        """A relation for each of a source's names: `HasPart`, `has_part` and `has part` are the same one.

        Raises:
            GraphError: There are more than a graph can hold.
        """
        words = {name: in_words(name) for name in names}
        ids = {name: number for number, name in enumerate(sorted({*words.values()}))}
        if len(ids) > MAX_RELATIONS:
            some = ", ".join(repr(name) for name in list(ids)[:3])
            raise GraphError(
                f"There are {len(ids)} relations, such as {some}, more than the {MAX_RELATIONS} a graph can hold; check"
                " which column names the relation."
            )
        relations = [Relation(name, plain_template(name)) for name in ids]
        return cls(relations, {name: Meaning(ids[written], False) for name, written in words.items()})

    @classmethod
    def with_inverses(cls, labels: Iterable[str], inverses: Mapping[str, str], packaged: Self) -> Self:
        """A relation for each of a source's labels, and for two labels that are each other's inverse.

        Of such a pair the shorter label, then the alphabetically smaller one, names the relation, and the other one
        means it reversed; a label that is its own inverse is symmetric. What a packaged table says goes before.

        Args:
            labels: All labels there are.
            inverses: The inverse of some, told in one direction or both.
            packaged: What some labels mean, and how relations of some names are worded.
        """
        inverse_of = {**{inverse: label for label, inverse in inverses.items()}, **inverses}
        named = {label: packaged._relation_of(label, inverse_of) for label in sorted({*labels})}
        relations = {meaning[0].name: meaning[0] for meaning in named.values() if meaning}
        ids = {name: number for number, name in enumerate(sorted(relations))}
        meanings = {label: meaning and Meaning(ids[meaning[0].name], meaning[1]) for label, meaning in named.items()}
        return cls([relations[name] for name in ids], meanings)

    def _relation_of(self, label: str, inverse_of: Mapping[str, str]) -> tuple[Relation, bool] | None:
        """The relation that a label means, and whether reversed; of two inverse labels it has the name of the first."""
        inverse = inverse_of.get(label, label)
        is_inverse_first = inverse in self.meanings or (len(inverse), inverse) < (len(label), label)
        is_reversed = label not in self.meanings and is_inverse_first
        chosen = inverse if is_reversed else label
        if chosen in self.meanings:
            meaning = self.meanings[chosen]
            return (self.relations[meaning.relation], meaning.is_reversed != is_reversed) if meaning else None
        name = in_words(chosen)
        plain = Relation(name, plain_template(name), symmetric=inverse_of.get(chosen) == chosen)
        return next((relation for relation in self.relations if relation.name == name), plain), is_reversed

    def keeping(self, labels: Container[str]) -> Self:
        """The table of some labels, with their relations alone; the others are left out."""
        kept = sorted({m.relation for label, m in self.meanings.items() if m is not None and label in labels})
        ids = {relation: number for number, relation in enumerate(kept)}
        meanings = {
            label: Meaning(ids[m.relation], m.is_reversed) if m is not None and label in labels else None
            for label, m in self.meanings.items()
        }
        return type(self)([self.relations[relation] for relation in kept], meanings)

    def frame(self) -> pl.DataFrame:
        """The meanings as rows: source, relation (null: left out), is_reversed."""
        rows = [
            (name, meaning and meaning.relation, bool(meaning and meaning.is_reversed))
            for name, meaning in self.meanings.items()
        ]
        schema = {"source": pl.String, "relation": pl.Int16, "is_reversed": pl.Boolean}
        return pl.DataFrame(rows, schema=schema, orient="row")


def packaged_relations(package: str, name: str = "relations.csv") -> list[Relation]:
    """Relations of a data file with the columns name, template, symmetric."""
    return [Relation(row["name"], row["template"], row["symmetric"] == "true") for row in packaged_rows(package, name)]


def packaged_rows(package: str, name: str) -> list[dict[str, str]]:
    """Rows of a CSV file that a package carries."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def in_words(name: str) -> str:
    """A relation's name as lower-case words: `HasFirstSubevent`, `may_treat` and `may-treat` are divided."""
    divided = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return " ".join(re.sub(r"[_\-]+", " ", divided).lower().split())


def plain_template(name: str) -> str:
    """The template of a relation of which nothing but the name is known."""
    escaped = name.replace("{", "{{").replace("}", "}}")
    return f"{{head}} {escaped} {{tail}}"
