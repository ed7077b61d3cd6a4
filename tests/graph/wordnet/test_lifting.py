from itertools import combinations
from pathlib import Path

import pytest

from dragon_core.artifacts import Artifact, ArtifactStore, ExternalFiles, TooManyRejectsError, make
from dragon_core.graph.knowledge_graph import KnowledgeGraph
from dragon_core.graph.relations import packaged_relations
from dragon_core.graph.sources import GraphParams
from dragon_core.graph.stage import BuildGraph
from dragon_core.graph.wordnet.files import read_wordnet
from dragon_core.graph.wordnet.lifting import WordNetParams, wordnet_graph
from tests.graph.wordnet.dictionary_files import NOUNS, real_wordnet, write_wordnet

ANIMAL_WITH_MANY_NAMES = """\
00015388 05 n 05 a 0 b 0 c 0 d 0 e 0 001 ~ 02084071 n 0000 | first
02084071 05 n 04 p 0 q 0 r 0 s 0 001 @ 00015388 n 0000 | second
"""


def build(folder: Path, store: Path, params: GraphParams | None = None) -> Artifact:
    stage = BuildGraph(source=ExternalFiles.of("WordNet", folder), params=params or WordNetParams())
    return make(stage, ArtifactStore(str(store)))


def triples(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    return {
        (graph.names[head], graph.relations[relation].name, graph.names[tail])
        for head in range(graph.num_nodes)
        for relation, tail in zip(*(array.tolist() for array in graph.edges_from(head)), strict=True)
    }


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = write_wordnet(tmp_path_factory.mktemp("dict"))
    return KnowledgeGraph.open(build(folder, tmp_path_factory.mktemp("store")).folder)


def test_lemmas_are_sorted_lower_case_nodes_described_by_their_first_sense(graph: KnowledgeGraph) -> None:
    assert graph.names == sorted(graph.names)
    assert "canis familiaris" in graph.names
    node = graph.ids_by_name["domestic dog"]
    assert graph.nodes.slice(node, 1).to_pylist() == [
        {
            "key": "domestic_dog",
            "name": "domestic dog",
            "aliases": [],
            "description": "a domesticated member of the genus Canis",
            "types": ["noun.animal"],
        }
    ]


def test_every_kind_of_pointer_becomes_an_edge_in_one_direction(graph: KnowledgeGraph) -> None:
    assert triples(graph) >= {
        ("animal", "is a", "entity"),
        ("lassie", "instance of", "dog"),
        ("dog", "member of", "pack"),
        ("animal", "synonym", "beast"),
        ("boiling", "similar to", "hot"),
        ("cold", "antonym", "hot"),
        ("run", "entails", "move"),
        ("hot", "value of", "heat"),
        ("beastly", "pertains to", "beast"),
        ("hotly", "derived from", "hot"),
        ("beast", "derivationally related", "beastly"),
    }
    assert not {t for t in triples(graph) if t[1] == "value of" and t[0] == "heat"}


def test_synset_relations_are_lifted_through_the_first_lemmas(tmp_path: Path) -> None:
    folder = write_wordnet(tmp_path / "dict", {"noun": ANIMAL_WITH_MANY_NAMES, "adj": "", "verb": "", "adv": ""})
    graph = KnowledgeGraph.open(build(folder, tmp_path / "store").folder)
    expected = {(head, "is a", "a") for head in "pqrs"} | {("p", "is a", tail) for tail in "abcde"}
    synonyms = {(x, "synonym", y) for names in ("abcde", "pqrs") for x, y in combinations(names, 2)}
    assert triples(graph) == expected | synonyms


def test_an_inverse_pointer_alone_says_the_same(tmp_path: Path) -> None:
    def with_only(kept: str, dropped: str) -> set[tuple[str, str, str]]:
        nouns = ANIMAL_WITH_MANY_NAMES.replace(f"001 {dropped} 0", "000 x").split("\n")
        nouns = [line if "000 x" not in line else line.split(" 000 x")[0] + " 000 | gloss" for line in nouns]
        data = {"noun": "\n".join(nouns), "adj": "", "verb": "", "adv": ""}
        folder = write_wordnet(tmp_path / f"dict{ord(kept)}", data)
        return triples(KnowledgeGraph.open(build(folder, tmp_path / "store").folder))

    assert with_only("@", "~") == with_only("~", "@")
    assert ("p", "is a", "a") in with_only("@", "~")


def test_pointers_to_nowhere_are_rejects(tmp_path: Path) -> None:
    nouns = NOUNS.replace("@ 00001740 n 0000", "@ 00009999 n 0000").replace("#m", "#x")
    folder = write_wordnet(tmp_path / "dict", {"noun": nouns})
    tables, rejects = wordnet_graph(read_wordnet(folder))
    assert tables.nodes.num_rows > 0
    assert {reject.record for reject in rejects} == {"n00015388", "n02084071"}
    assert build(folder, tmp_path / "store", WordNetParams(max_reject_share=0.5)).manifest.counts["rejects"] == 2
    with pytest.raises(TooManyRejectsError, match="n00009999"):
        build(folder, tmp_path / "store", WordNetParams(max_reject_share=0.01))


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    folder = write_wordnet(tmp_path / "dict")
    first, second = (build(folder, tmp_path / store).manifest.files for store in ("one", "two"))
    assert first == second
    assert {"nodes.parquet", "edges.parquet", "offsets.npy", "neighbours.npy", "relations.npy"} <= {
        file.name for file in first
    }


def test_relation_templates_have_both_places() -> None:
    relations = packaged_relations("dragon_core.graph.wordnet")
    assert len({relation.name for relation in relations}) == len(relations)
    for relation in relations:
        assert relation.template.format(head="x", tail="y").count("x") == 1
        assert "{tail}" in relation.template


def test_the_real_graph_is_as_large_and_as_sparse_as_documented(tmp_path: Path) -> None:
    folder = real_wordnet()
    if folder is None:
        pytest.skip("WordNet is not on this machine")
    graph = KnowledgeGraph.open(build(folder, tmp_path).folder)
    assert 147_000 < graph.num_nodes < 148_000
    assert 575_000 < graph.num_edges < 590_000
    most_connected = int(graph.degrees.argmax())
    assert len(graph.neighbours(most_connected)) < 1_100
    assert (graph.degrees == 0).sum() < 300
