import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragon_core.linking import Mention, Mentions
from dragon_core.linking.schema import MENTIONS

MENTION = st.builds(Mention, st.integers(0, 99), st.integers(100, 199), st.integers(0, 9), st.sampled_from([0.9, 1.0]))
BATCH = st.lists(st.lists(MENTION, max_size=4), max_size=5)


@given(BATCH)
def test_columns_and_lists_are_the_same_mentions(batch: list[list[Mention]]) -> None:
    mentions = Mentions.of(batch)
    assert list(mentions) == [sorted(found, key=lambda m: (m.start, m.end, -m.score, m.node)) for found in batch]
    column = mentions.to_arrow()
    assert column.type == MENTIONS.field("mentions").type
    assert list(Mentions.from_arrow(column)) == list(mentions)


@given(BATCH, BATCH)
def test_batches_are_joined_in_order(first: list[list[Mention]], second: list[list[Mention]]) -> None:
    joined = Mentions.concatenate([Mentions.of(first), Mentions.of(second)])
    assert list(joined) == list(Mentions.of([*first, *second]))


def test_texts_are_reached_from_both_ends() -> None:
    mentions = Mentions.of([[], [Mention(0, 1, 2, 1.0)]])
    assert mentions[-1] == [Mention(0, 1, 2, 1.0)]
    assert mentions[:1] == [[]]
    with pytest.raises(IndexError):
        mentions[2]
