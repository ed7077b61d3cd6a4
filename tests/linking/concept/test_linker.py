from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragon_core.artifacts.draft import Writer
from dragon_core.artifacts.folder import Folder
from dragon_core.artifacts.progress import silent
from dragon_core.graph.schema import NODES
from dragon_core.linking.concept.analysis import analyse
from dragon_core.linking.concept.annotations import AnnotatedDocument, Annotation
from dragon_core.linking.concept.candidates import NearestNames, gram_counts
from dragon_core.linking.concept.detection import LONGEST_NAME
from dragon_core.linking.concept.evidence import Evidence, Query
from dragon_core.linking.concept.features import token_features
from dragon_core.linking.concept.lexicon import Lexicon
from dragon_core.linking.concept.linker import ConceptLinker, build_concept
from dragon_core.linking.concept.matching import Matches
from dragon_core.linking.concept.names import HashedNames, Names
from dragon_core.linking.concept.ranking import Ranker
from dragon_core.linking.concept.synonyms import equivalent_words
from dragon_core.linking.concept.words import Tokens, hashes_of, stem
from dragon_core.linking.errors import LinkingError
from dragon_core.linking.parameters import ConceptParams

CONCEPTS: dict[str, list[str]] = {
    "Breast Neoplasms": ["Cancer of the Breast", "Neoplasms, Breast", "Breast Cancer"],
    "Kidney Neoplasms": ["Renal Cancer", "Renal Neoplasms", "Kidney Cancer"],
    "Kidney Failure": ["Renal Failure"],
    "Kidney Stones": ["Renal Stones"],
    "Ataxia Telangiectasia": ["Louis-Bar Syndrome"],
    "Diabetes Mellitus, Type 1": ["Diabetes Mellitus, Insulin-Dependent"],
    "Diabetes Mellitus, Type 2": [],
    "Hemophilia A": ["HEMA", "Factor VIII Deficiency"],
    "Wilms Tumor": ["Nephroblastoma"],
    "Alzheimer Disease": ["ALZHEIMER'S DISEASE"],
    "Disease": [],
    "Cold": [],
    "Hay Fever": ["Cold"],
}
NAMES = list(CONCEPTS)


def linker(
    folder: Path,
    annotations: Sequence[AnnotatedDocument] = (),
    concepts: Mapping[str, list[str]] = CONCEPTS,
    **params: object,
) -> ConceptLinker:
    rows = [{"key": name, "name": name, "aliases": aliases, "description": ""} for name, aliases in concepts.items()]
    nodes = pa.Table.from_pylist(rows, schema=NODES)
    build_concept(nodes, ConceptParams(), Writer(Folder(fsspec.filesystem("file"), str(folder))), silent, annotations)
    return ConceptLinker.open(folder, ConceptParams(**params))


@pytest.fixture(scope="module")
def by_names(tmp_path_factory: pytest.TempPathFactory) -> ConceptLinker:
    return linker(tmp_path_factory.mktemp("names"))


def linked(linker: ConceptLinker, text: str) -> list[tuple[str, str]]:
    return [(text[mention.start : mention.end], NAMES[mention.node]) for mention in linker.link([text])[0]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She has breast cancers.", [("breast cancers", "Breast Neoplasms")]),
        ("a neoplasm of the breast", [("neoplasm of the breast", "Breast Neoplasms")]),
        ("type II diabetes mellitus", [("type II diabetes mellitus", "Diabetes Mellitus, Type 2")]),
        ("insulin dependent diabetes mellitus", [("insulin dependent diabetes mellitus", "Diabetes Mellitus, Type 1")]),
        (
            "haemophilia A, factor 8 deficiency",
            [("haemophilia A", "Hemophilia A"), ("factor 8 deficiency", "Hemophilia A")],
        ),
        ("Wilms' tumour", [("Wilms' tumour", "Wilms Tumor")]),
        ("Alzheimer's disease", [("Alzheimer's disease", "Alzheimer Disease")]),
        ("ATAXIA-telangiectasia", [("ATAXIA-telangiectasia", "Ataxia Telangiectasia")]),
        # Small letters are not an acronym, and a number is no mention.
        ("hema of 2", []),
        ("", []),
    ],
)
def test_names_are_found_whatever_their_form(by_names: ConceptLinker, text: str, found: list[tuple[str, str]]) -> None:
    assert linked(by_names, text) == found


def test_no_name_reaches_over_a_comma(by_names: ConceptLinker) -> None:
    text = "after the failure, renal stones"
    assert [text[mention.start : mention.end] for mention in by_names.link([text])[0]] == ["renal stones"]
    assert list(by_names.link(["failure, kidney"])) == [[]]


def test_words_that_stand_in_each_others_place_are_learned(by_names: ConceptLinker) -> None:
    names = Names.of(NAMES, list(CONCEPTS.values()), {})
    assert equivalent_words(names) == {"kidney": "renal", "cancer": "neoplasm"}
    # No name has these words in this order.
    assert linked(by_names, "stones of the kidney") == [("stones of the kidney", "Kidney Stones")]


def test_an_abbreviation_means_what_its_text_defines(by_names: ConceptLinker) -> None:
    text = "Ataxia-telangiectasia (A-T) is rare. A-T cells and HEMA differ."
    assert linked(by_names, text) == [
        ("Ataxia-telangiectasia", "Ataxia Telangiectasia"),
        ("A-T", "Ataxia Telangiectasia"),
        ("A-T", "Ataxia Telangiectasia"),
        ("HEMA", "Hemophilia A"),
    ]
    assert linked(by_names, "A-T cells") == []
    # Here it is something else than the node's name.
    assert linked(by_names, "human embryonic media A (HEMA) and HEMA") == []


def test_offsets_count_characters(by_names: ConceptLinker) -> None:
    texts = ["😀 Ménière\u2003breast\n cancer\u0301s", "", "naïve kidney stones"]
    assert [
        [text[mention.start : mention.end] for mention in mentions]
        for text, mentions in zip(texts, by_names.link(texts), strict=True)
    ] == [["breast\n cancer"], [], ["kidney stones"]]


def test_of_an_ambiguous_name_all_nodes_are_candidates(tmp_path: Path) -> None:
    mentions = linker(tmp_path, candidates=5).link(["A cold."])[0]
    assert [(mention.start, mention.end, NAMES[mention.node]) for mention in mentions][:2] == [
        (2, 6, "Cold"),
        (2, 6, "Hay Fever"),
    ]
    assert all(a.score >= b.score > 0 for a, b in pairwise(mentions))


def documents() -> list[AnnotatedDocument]:
    """Documents in which `cold` is hay fever, `bronze diabetes` is type 2, and `Wilms` is a person."""
    found = []
    for number in range(12):
        text = (
            f"In {number} patients with cold or bronze diabetes, seen by Wilms tumor boards, breast cancer was found."
        )
        spans = [("cold", 12), ("bronze diabetes", 6), ("breast cancer", 0)]
        annotations = [Annotation(text.index(span), text.index(span) + len(span), (node,)) for span, node in spans]
        found.append(AnnotatedDocument(str(number), text, tuple(annotations)))
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ConceptLinker:
    return linker(tmp_path_factory.mktemp("trained"), documents())


LENIENT = ConceptParams(threshold=0.1, candidates=5)


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ConceptLinker]:
    """The folder of a trained linker, and one opened there that is used again and again."""
    folder = tmp_path_factory.mktemp("lenient")
    linker(folder, documents())
    return folder, ConceptLinker.open(folder, LENIENT)


def test_annotated_documents_teach_names_meanings_and_what_is_no_mention(trained: ConceptLinker) -> None:
    text = "In 3 women with cold or bronze diabetes, seen by Wilms tumor boards, breast cancer was found."
    assert linked(trained, text) == [
        ("cold", "Hay Fever"),
        ("bronze diabetes", "Diabetes Mellitus, Type 2"),
        ("breast cancer", "Breast Neoplasms"),
    ]


@pytest.mark.parametrize(
    ("written", "best"),
    [
        ("kidney neoplasia", "Kidney Neoplasms"),
        ("severe breast cancer", "Breast Neoplasms"),
        ("Alzheimers syndrome", "Alzheimer Disease"),
        ("xyz", None),
    ],
)
def test_a_mention_that_is_no_name_goes_to_the_most_similar(written: str, best: str | None) -> None:
    lexicon = Lexicon.of(Names.of(NAMES, list(CONCEPTS.values()), {}), len(NAMES))
    words = tuple(written.split())
    ranker = Ranker.by_hand()
    ranked = ranker.best(ranker.ranked(Evidence(lexicon, [Query(words, words)]).candidates[0]), (), 1)
    assert [NAMES[node] for node, _ in ranked] == [best] * (best is not None)
    assert all(0 < score < 1 for _, score in ranked)


def test_the_same_input_gives_the_same_files(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        linker(tmp_path / folder, documents())
    first, second = (sorted((tmp_path / folder).iterdir()) for folder in ("first", "second"))
    assert [path.name for path in first] == [path.name for path in second]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LinkingError, match="None of the 2 nodes has a name"):
        linker(tmp_path, concepts={"": [], "--": ["of the"]})
    with pytest.raises(LinkingError, match="name node 13, the table has 13"):
        linker(tmp_path, [AnnotatedDocument("1", "cold", (Annotation(0, 4, (13,)),))])
    with pytest.raises(LinkingError, match=r"holds no concept linker: synonyms\.json is missing; build it"):
        ConceptLinker.open(tmp_path / "nothing", ConceptParams())


WORDS = ["renal", "kidney", "cancer", "cancers", "of", "the", "stone", "type", "II", "2", ",", "DNA"]
PHRASES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


@given(st.lists(PHRASES, min_size=1, max_size=8), st.lists(PHRASES, min_size=1, max_size=3), st.integers(1, 10))
@settings(deadline=None)
def test_nearest_names_equal_a_scan_of_all_names(names: list[str], queries: list[str], neighbours: int) -> None:
    def vector(text: str) -> dict[str, float]:
        grams: dict[str, float] = {}
        for word in text.split():
            for start in range(len(word)):
                gram = f" {word} "[start : start + 3]
                grams[gram] = grams.get(gram, 0) + 1
        return grams

    def idf(gram: str) -> float:
        return float(np.log((1 + len(names)) / (1 + sum(gram in vector(name) for name in names))) + 1)

    def cosine(a: dict[str, float], b: dict[str, float]) -> float:
        lengths = [np.sqrt(sum((count * idf(gram)) ** 2 for gram, count in some.items())) for some in (a, b)]
        return float(sum(a[g] * b[g] * idf(g) ** 2 for g in a if g in b) / (lengths[0] * lengths[1]))

    tokens, asked = Tokens.of(names), Tokens.of(queries)
    nearest = NearestNames.of(gram_counts(tokens, tokens.words))
    found, cosines = nearest.nearest(gram_counts(asked, asked.words), neighbours)
    for query, names_found, values in zip(queries, found, cosines, strict=True):
        expected = [cosine(vector(query), vector(name)) for name in names]
        count = min(neighbours, sum(value > 0 for value in expected))
        assert (names_found[:count] >= 0).all()
        assert (names_found[count:] == -1).all()
        np.testing.assert_allclose(values[:count], sorted(expected, reverse=True)[:count], atol=1e-5)
        np.testing.assert_allclose(values[:count], [expected[name] for name in names_found[:count]], atol=1e-5)


@given(st.lists(PHRASES, min_size=1, max_size=6), st.lists(PHRASES, min_size=1, max_size=3), st.integers(1, 6))
@settings(deadline=None)
def test_matches_equal_a_comparison_of_every_span_with_every_name(
    names: list[str], texts: list[str], longest: int
) -> None:
    def words(tokens: list[str]) -> list[str]:
        return sorted(filter(None, map(stem, tokens)))

    table = Names.of(names, [[] for _ in names], {})
    hashed = HashedNames.of(table.hashes(table.stems), table, np.zeros(len(names), bool))
    tokens = Tokens.of(texts)
    hashes = hashes_of([stem(word) for word in tokens.words])[tokens.ids]
    matches = Matches.of(tokens, [hashes], [hashed], longest)
    expected = {}
    position = 0
    for text in texts:
        split = text.split()
        for start in range(len(split)):
            for end in range(start + 1, min(len(split), start + longest) + 1):
                span = split[start:end]
                nodes = {node for node, name in enumerate(names) if words(name.split()) == words(span)}
                if nodes and stem(span[0]) and stem(span[-1]):
                    expected[position + start, position + end] = nodes
        position += len(split)
    found = {
        (start, end): set(hashed.nodes[hashed.offsets[row] : hashed.offsets[row + 1]].tolist())
        for start, end, row in zip(matches.starts.tolist(), matches.ends.tolist(), matches.rows.tolist(), strict=True)
    }
    assert found == expected


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=40), max_size=3))
def test_any_text_can_be_linked(by_names: ConceptLinker, trained: ConceptLinker, texts: list[str]) -> None:
    for some in (by_names, trained):
        mentions = some.link(texts)
        assert len(mentions) == len(texts)
        for text, of_text in zip(texts, mentions, strict=True):
            assert all(0 <= mention.start < mention.end <= len(text) for mention in of_text)


WORDS = sorted({word for name, aliases in CONCEPTS.items() for text in (name, *aliases) for word in text.split()})
SENTENCES = st.lists(st.sampled_from([*WORDS, "of", "and", "(WT)", "WT", ",", "a"]), max_size=8).map(" ".join)


@settings(deadline=None)
@given(texts=st.lists(SENTENCES, min_size=1, max_size=4))
def test_what_a_text_is_linked_to_depends_on_nothing_else(
    lenient: tuple[Path, ConceptLinker], texts: list[str]
) -> None:
    folder, used = lenient
    together = used.link(texts)
    for position, text in enumerate(texts):
        fresh = ConceptLinker.open(folder, LENIENT).link([text])
        row = slice(together.offsets[position], together.offsets[position + 1])
        for column in ("starts", "ends", "nodes", "scores"):
            assert getattr(fresh, column).tobytes() == getattr(together, column)[row].tobytes()


@settings(deadline=None)
@given(texts=st.lists(SENTENCES, min_size=1, max_size=4))
def test_features_of_tokens_and_of_candidates_are_those_of_a_text_alone(texts: list[str]) -> None:
    names = Names.of(NAMES, list(CONCEPTS.values()), {})
    lexicon = Lexicon.of(names, len(NAMES))

    def features(some: list[str]) -> list[list[int]]:
        analysis = analyse(some, lexicon, LONGEST_NAME)
        counts = np.zeros(len(analysis.matches))
        return token_features(analysis, lexicon, analysis.matches, counts, counts).tolist()

    assert features(texts) == [row for text in texts for row in features([text])]
    queries = [Query((*text.split(),), (*text.split(),)) for text in texts]
    together = Evidence(lexicon, queries).candidates
    for query, candidates in zip(queries, together, strict=True):
        alone = Evidence(lexicon, [query]).candidates[0]
        assert {node: found.tobytes() for node, found in candidates.items()} == {
            node: found.tobytes() for node, found in alone.items()
        }
