from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dragon_core.corpus.documents import Document
from dragon_core.corpus.segmentation import pack

SENTENCE = st.lists(st.integers(0, 99).map(str), min_size=1, max_size=12).map(" ".join)


@st.composite
def documents(draw: st.DrawFn) -> list[Document]:
    texts = draw(st.lists(st.lists(SENTENCE, min_size=1, max_size=6), max_size=12))
    sources = sorted(draw(st.lists(st.sampled_from("ab"), min_size=len(texts), max_size=len(texts))))
    return [Document(f"d{i}", sources[i], text) for i, text in enumerate(texts)]


@given(documents(), st.integers(1, 20))
def test_every_word_comes_once_and_in_order(drawn: list[Document], limit: int) -> None:
    segments = list(pack(drawn, limit))
    words = [word for document in drawn for sentence in document.sentences for word in sentence.split()]
    assert [word for segment in segments for word in segment.text.split()] == words


@given(documents(), st.integers(1, 20))
def test_segments_respect_the_budget_the_source_and_the_documents(drawn: list[Document], limit: int) -> None:
    by_id = {document.doc_id: document for document in drawn}
    for segment in pack(drawn, limit):
        assert 1 <= len(segment.text.split()) <= limit
        assert {by_id[doc_id].source for doc_id in segment.doc_ids} == {segment.source}
        assert segment.doc_ids == sorted(set(segment.doc_ids), key=lambda doc_id: int(doc_id[1:]))


@given(documents(), st.integers(1, 20))
def test_only_a_sentence_over_the_budget_is_cut(drawn: list[Document], limit: int) -> None:
    packed = [entry for segment in pack(drawn, limit) for entry in segment.sentences]
    whole = [(d.doc_id, sentence) for d in drawn for sentence in d.sentences if len(sentence.split()) <= limit]
    remaining = iter(packed)
    assert all(entry in remaining for entry in whole)


@given(documents(), st.integers(1, 20))
def test_no_two_neighbouring_segments_of_a_source_would_fit_into_one(drawn: list[Document], limit: int) -> None:
    segments = list(pack(drawn, limit))
    for first, second in pairwise(segments):
        if first.source == second.source:
            assert len(first.text.split()) + len(second.sentences[0][1].split()) > limit


def test_a_long_document_becomes_several_segments() -> None:
    segments = list(pack([Document("d", "s", ["a b c", "d e f", "g h i"])], 6))
    assert [(segment.doc_ids, segment.text) for segment in segments] == [(["d"], "a b c d e f"), (["d"], "g h i")]
