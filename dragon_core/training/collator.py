"""From examples to the batch that the pretraining model reads: masked text, graph, held-out edges."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedTokenizerBase

from dragon_core.training.batching import Batch
from dragon_core.training.dataset import SegmentDataset
from dragon_core.training.graph_batch import GraphCollator
from dragon_core.training.graph_text import GraphSentences
from dragon_core.training.link_targets import LinkTargetSampler
from dragon_core.training.masking import WholeWordMasker, word_numbers
from dragon_core.training.random_numbers import example_keys

PADDING_MULTIPLE = 8


@dataclass(frozen=True)
class PretrainingBatch:
    """What one step reads.

    Attributes:
        segment_ids: [B] the segments, to name them in messages.
        tensors: Arguments of `DragonForPreTraining.forward`.
    """

    segment_ids: npt.NDArray[np.int64]
    tensors: dict[str, torch.Tensor]


class PretrainingCollator:
    """Reads and prepares batches; what it makes of an example depends on (seed, epoch, example) alone."""

    def __init__(
        self,
        dataset: SegmentDataset,
        tokenizer: PreTrainedTokenizerBase,
        masker: WholeWordMasker,
        graphs: GraphCollator,
        targets: LinkTargetSampler,
        max_length: int,
        seed: int,
        sentences: GraphSentences | None = None,
    ) -> None:
        self._dataset = dataset
        self._tokenizer = tokenizer
        self._masker = masker
        self._graphs = graphs
        self._targets = targets
        self._max_length = max_length
        self._seed = seed
        self._sentences = sentences

    def __call__(self, batch: Batch) -> PretrainingBatch:
        """Prepare a batch: masked texts and labels [B, T], the graphs without the held-out edges, the link targets."""
        segments = self._dataset.read(batch.examples)
        keys = example_keys(self._seed, batch.epoch, batch.examples)
        links = self._targets(segments.subgraphs, keys)
        told = None if self._sentences is None else self._sentences(segments.subgraphs, links.kept)
        tensors = self._text(segments.texts, told, keys) | self._graphs(segments.subgraphs, links.kept)
        tensors |= {
            "link_head": torch.from_numpy(links.head),
            "link_relation": torch.from_numpy(links.relation),
            "link_tail": torch.from_numpy(links.tail),
            "link_negatives": torch.from_numpy(links.negatives),
        }
        return PretrainingBatch(segments.segment_ids, tensors)

    def _text(self, texts: list[str], told: list[str] | None, keys: npt.NDArray[np.uint64]) -> dict[str, torch.Tensor]:
        """Masked texts; what is told of the graph stands beside them, unmasked."""
        encoded = self._tokenizer(
            texts, told, padding=True, truncation=True, max_length=self._max_length, pad_to_multiple_of=PADDING_MULTIPLE
        )
        input_ids, labels = self._masker(np.array(encoded["input_ids"]), word_numbers(encoded.encodings), keys)
        arrays = {"input_ids": input_ids, "labels": labels}
        for name in ("attention_mask", "token_type_ids"):
            if name in encoded:
                arrays[name] = np.array(encoded[name])
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def evaluation_batches(examples: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], size: int) -> Iterator[Batch]:
    """Batches over `examples`, each once, longest last; all of epoch 0, so that every evaluation asks the same."""
    order = examples[np.argsort(lengths, kind="stable")]
    for start in range(0, len(order), size):
        yield Batch(0, order[start : start + size])
