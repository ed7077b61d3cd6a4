from collections.abc import Iterable

import numpy as np
import pytest
import torch

from dragon_core.training.batching import Batch, BatchLimits, BatchPlan
from dragon_core.training.collator import PretrainingBatch, PretrainingCollator, View
from dragon_core.training.dataset import SegmentDataset
from dragon_core.training.graph_batch import GraphCollator
from dragon_core.training.link_targets import LinkTargetSampler
from dragon_core.training.loading import loaded
from dragon_core.training.masking import IGNORED_LABEL, WordMasker
from tests.training.encoders import byte_pair_tokenizer, word_piece_tokenizer
from tests.training.shards import random_rows, write_shards

ROWS = random_rows(60)


@pytest.fixture(scope="module", params=["word pieces", "byte pairs"])
def data(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SegmentDataset, PretrainingCollator]:
    folder = tmp_path_factory.mktemp("data")
    tokenizer = word_piece_tokenizer() if request.param == "word pieces" else byte_pair_tokenizer()
    dataset = SegmentDataset.open(write_shards(folder / "shards", ROWS, [25, 0, 34, 1]), folder, tokenizer, 32)
    targets = LinkTargetSampler(np.array([False, True, False]), num_negatives=4)
    masker = WordMasker(tokenizer)
    return dataset, PretrainingCollator(dataset, tokenizer, masker, GraphCollator(3), targets, targets, 32, seed=5)


def ids_of(batches: Iterable[PretrainingBatch]) -> list[int]:
    return [int(segment) for batch in batches for segment in batch.segment_ids]


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_no_example_is_lost_or_seen_twice(
    data: tuple[SegmentDataset, PretrainingCollator], processes: int, workers: int
) -> None:
    dataset, collator = data
    plan = BatchPlan(np.arange(len(dataset)), dataset.sizes, BatchLimits(7, tokens=100, edges=120), seed=1)
    for epoch in (0, 1):
        seen = [
            ids_of(loaded(collator, (batch.share(rank, processes) for batch in plan.epoch(epoch)), workers))
            for rank in range(processes)
        ]
        assert sorted(segment for of_rank in seen for segment in of_rank) == [row["segment_id"] for row in ROWS]


def test_what_an_example_becomes_depends_on_seed_and_epoch_alone(
    data: tuple[SegmentDataset, PretrainingCollator],
) -> None:
    _, collator = data
    together = collator(Batch(3, np.arange(12)))
    worked = next(loaded(collator, [Batch(3, np.arange(12))], 1))
    for name, tensor in together.tensors.items():
        assert torch.equal(tensor, worked.tensors[name]), name
    alone = collator(Batch(3, np.array([4])))
    width = alone.tensors["input_ids"].shape[1]
    for name in ("input_ids", "labels"):
        assert torch.equal(together.tensors[name][4, :width], alone.tensors[name][0]), name
    assert not torch.equal(collator(Batch(4, np.arange(12))).tensors["labels"], together.tensors["labels"])


def test_a_view_hides_the_text_or_the_graph_and_asks_the_same(data: tuple[SegmentDataset, PretrainingCollator]) -> None:
    _, collator = data
    batch = Batch(0, np.arange(20))
    whole, text, graph = (collator.for_evaluation(batch, view).tensors for view in View)
    assert torch.equal(text["input_ids"], whole["input_ids"])
    assert torch.equal(text["labels"], whole["labels"])
    assert text["concept_ids"].tolist() == [0] * 20
    assert text["edge_index"].shape[1] == len(text["link_head"]) == 0
    assert graph["attention_mask"].sum(1).tolist() == [2] * 20
    assert (graph["labels"] == IGNORED_LABEL).all()
    for name in ("concept_ids", "edge_index", "link_head", "link_negatives", "link_candidates"):
        assert torch.equal(graph[name], whole[name]), name


def test_an_empty_share_asks_for_nothing(data: tuple[SegmentDataset, PretrainingCollator]) -> None:
    _, collator = data
    for batch in (collator(Batch(0, np.arange(0))), collator.for_evaluation(Batch(0, np.arange(0)))):
        assert (batch.num_masked_tokens, batch.num_links, len(batch.segment_ids)) == (0, 0, 0)
        assert batch.tensors["input_ids"].shape[0] == len(batch.tensors["concept_ids"]) == 1
