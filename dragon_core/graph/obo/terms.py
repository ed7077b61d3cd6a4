"""The terms of an ontology, as nodes and edges between them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastobo
import polars as pl
from fastobo import header, term, typedef

from dragon_core.artifacts.draft import Tally
from dragon_core.graph.obo.params import OboParams
from dragon_core.graph.obo.stanzas import read_frames
from dragon_core.graph.relations import in_words
from dragon_core.graph.schema import NODES

IS_A = "is a"
EDGE_SCHEMA = {"head": pl.String, "relation": pl.String, "tail": pl.String, "line": pl.UInt32}


class Ontology:
    """Reads OBO files, one after another, and gathers what they tell.

    Attributes:
        nodes: A row for each term by its id: the columns of `schema.NODES`.
        inverses: Ids of relations by that of their inverse; a symmetric one is its own.
    """

    def __init__(self, params: OboParams, tally: Tally) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.inverses: dict[str, str] = {}
        self._relation_names: dict[str, str] = {}
        self._other_ids: dict[str, str] = {}
        self._params = params
        self._tally = tally

    def read(self, path: Path) -> Iterator[pl.DataFrame]:
        """Read a file.

        Yields:
            Once, the edges it states: head, relation (an id), tail, weight, and line, that of the head's stanza.

        Raises:
            GraphError: The file cannot be uncompressed, or has no stanza.
        """
        edges: list[tuple[str, str, str, int]] = []
        namespace = ""
        for line, frame in read_frames(path, self._tally):
            if isinstance(frame, fastobo.header.HeaderFrame):
                spaces = [clause.namespace for clause in frame if isinstance(clause, header.DefaultNamespaceClause)]
                namespace = str(spaces[0]) if spaces else ""
            elif isinstance(frame, typedef.TypedefFrame):
                self._add_relation(frame)
            else:
                edges.extend((*edge, line) for edge in self._add_term(frame, namespace))
        yield pl.DataFrame(edges, EDGE_SCHEMA, orient="row").with_columns(weight=pl.lit(1.0, pl.Float32))

    def primary_ids(self) -> dict[str, str]:
        """The term that each other id leads to: an alternative id, or that of an obsolete term that was replaced."""
        return {other: self._term_of(primary) for other, primary in self._other_ids.items() if other not in self.nodes}

    def name_of_relation(self, identifier: str) -> str:
        """The name of a relation: that of its typedef, else its id as words."""
        return self._relation_names.get(identifier) or in_words(identifier)

    def _term_of(self, identifier: str) -> str:
        passed = {identifier}
        while identifier not in self.nodes and self._other_ids.get(identifier, identifier) not in passed:
            identifier = self._other_ids[identifier]
            passed.add(identifier)
        return identifier

    def _add_relation(self, frame: typedef.TypedefFrame) -> None:
        identifier = str(frame.id)
        for clause in frame:
            match clause:
                case typedef.NameClause():
                    self._relation_names[identifier] = in_words(clause.name)
                case typedef.InverseOfClause():
                    self.inverses[identifier] = str(clause.typedef)
                case typedef.IsSymmetricClause() if clause.symmetric:
                    self.inverses[identifier] = identifier

    def _add_term(self, frame: term.TermFrame, namespace: str) -> list[tuple[str, str, str]]:
        key = str(frame.id)
        row = {"key": key, "name": key, "description": "", "types": [namespace or key.partition(":")[0]]}
        aliases: dict[str, None] = {}
        edges: list[tuple[str, str, str]] = []
        replacements: list[str] = []
        is_obsolete = False
        for clause in frame:
            match clause:
                case term.NameClause():
                    row["name"] = _in_one_line(clause.name)
                case term.NamespaceClause():
                    row["types"] = [str(clause.namespace)]
                case term.DefClause():
                    row["description"] = _in_one_line(str(clause.definition))
                case term.SynonymClause() if clause.synonym.scope in self._params.synonym_scopes:
                    aliases[_in_one_line(clause.synonym.desc)] = None
                case term.IsAClause():
                    edges.append((key, IS_A, str(clause.term)))
                case term.RelationshipClause():
                    edges.append((key, str(clause.typedef), str(clause.term)))
                case term.AltIdClause():
                    self._other_ids.setdefault(str(clause.alt_id), key)
                case term.ReplacedByClause():
                    replacements.append(str(clause.term))
                case term.IsObsoleteClause():
                    is_obsolete = clause.obsolete
        if is_obsolete:
            self._tally.count(obsolete_terms=1)
            if len(replacements) == 1:
                self._other_ids[key] = replacements[0]
            return []
        row["aliases"] = [alias for alias in aliases if alias != row["name"]]
        self.nodes.setdefault(key, {name: row[name] for name in NODES.names})
        return edges


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
