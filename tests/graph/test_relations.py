import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.graph.errors import GraphError
from dragon_core.graph.relations import Meaning, Relation, RelationTable, in_words, packaged_relations, packaged_rows

PACKAGED = RelationTable(
    [Relation("part of", "{head} is a part of {tail}"), Relation("like", "{head} is like {tail}", symmetric=True)],
    {"part_of": Meaning(0, False), "has_part": Meaning(0, True), "SY": Meaning(1, False), "XR": None},
)


def told(table: RelationTable) -> dict[str, tuple[str, bool] | None]:
    return {
        label: meaning and (table.relations[meaning.relation].name, meaning.is_reversed)
        for label, meaning in table.meanings.items()
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HasFirstSubevent", "has first subevent"),
        ("IsA", "is a"),
        ("may_treat", "may treat"),
        ("co-occurs_with", "co occurs with"),
        ("bindsDNASite", "binds dna site"),
        ("  has   part ", "has part"),
        ("isa", "isa"),
    ],
)
def test_names_are_divided_into_words(name: str, words: str) -> None:
    assert in_words(name) == words


def test_names_of_the_same_words_are_one_relation() -> None:
    table = RelationTable.as_written(["HasPart", "has_part", "UsedFor"])
    assert [relation.name for relation in table.relations] == ["has part", "used for"]
    assert told(table) == {
        "HasPart": ("has part", False),
        "has_part": ("has part", False),
        "UsedFor": ("used for", False),
    }


@given(st.text(string.printable, min_size=1))
def test_a_template_of_any_name_can_be_filled_in(name: str) -> None:
    (relation,) = RelationTable.as_written([name]).relations
    assert relation.template.format(head="dog", tail="cat") == f"dog {in_words(name)} cat"


def test_more_relations_than_a_graph_can_hold_are_refused() -> None:
    with pytest.raises(GraphError, match="32768 relations"):
        RelationTable.as_written(f"r{number}" for number in range(32_768))


def test_of_two_inverse_labels_the_shorter_names_the_relation() -> None:
    inverses = {"has_site": "site_of", "a_of": "b_of", "next_to": "next_to", "contains": "part_of"}
    labels = ["has_site", "site_of", "a_of", "b_of", "next_to", "contains", "has_part", "SY", "XR", "alone"]
    table = RelationTable.with_inverses(labels, inverses, PACKAGED)
    assert told(table) == {
        "has_site": ("site of", True),
        "site_of": ("site of", False),
        "a_of": ("a of", False),
        "b_of": ("a of", True),
        "next_to": ("next to", False),
        "contains": ("part of", True),
        "has_part": ("part of", True),
        "SY": ("like", False),
        "XR": None,
        "alone": ("alone", False),
    }
    by_name = {relation.name: relation for relation in table.relations}
    assert by_name["next to"].symmetric
    assert not by_name["site of"].symmetric
    assert by_name["part of"] == PACKAGED.relations[0]
    assert [relation.name for relation in table.relations] == sorted(by_name)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.text("abc", min_size=1, max_size=3), max_size=6))
def test_a_label_and_its_inverse_mean_the_same_in_opposite_directions(pairs: dict[str, str]) -> None:
    inverses = {first: second for first, second in pairs.items() if pairs.get(second, first) == first}
    inverses = {a: b for a, b in inverses.items() if sum(b in pair for pair in inverses.items()) == 1 or a == b}
    table = told(RelationTable.with_inverses([*inverses, *inverses.values()], inverses, PACKAGED))
    for label, inverse in inverses.items():
        first, second = table[label], table[inverse]
        assert first is not None
        assert second is not None
        assert first[0] == second[0]
        assert (first[1] == second[1]) == (label == inverse)


def test_keeping_some_labels_leaves_out_the_others_and_their_relations() -> None:
    kept = PACKAGED.keeping({"SY", "XR"})
    assert kept.relations == [PACKAGED.relations[1]]
    assert told(kept) == {"part_of": None, "has_part": None, "SY": ("like", False), "XR": None}


def test_the_frame_has_a_row_for_each_label() -> None:
    assert PACKAGED.frame().rows() == [
        ("part_of", 0, False),
        ("has_part", 0, True),
        ("SY", 1, False),
        ("XR", None, False),
    ]


def test_conceptnets_data_files_agree_with_each_other() -> None:
    package = "dragon_core.graph.conceptnet"
    relations = packaged_relations(package)
    assert len(relations) == 17
    assert {row["relation"] for row in packaged_rows(package, "merge.csv")} - {""} == {r.name for r in relations}
    assert told(RelationTable.packaged(package))["HasA"] == ("part of", True)
