"""From examples to the batch that the pretraining model reads: masked text, graph, held-out edges."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedTokenizerBase

from dragon_core.training.batching import PADDING_MULTIPLE, Batch, Cursor
from dragon_core.training.dataset import SegmentDataset, Segments
from dragon_core.training.graph_batch import GraphCollator
from dragon_core.training.graph_text import GraphSentences
from dragon_core.training.link_targets import LinkTargets, LinkTargetSampler, rank_candidates
from dragon_core.training.masking import IGNORED_LABEL, NO_WORD, WordMasker, word_numbers
from dragon_core.training.published_links import PublishedLinkTargetSampler
from dragon_core.training.random_numbers import UInt64s, example_keys
from dragon_core.training.subgraphs import Array, Subgraphs


class View(Enum):
    """What of an example the model is shown."""

    WHOLE = "whole"
    TEXT = "text"
    GRAPH = "graph"


@dataclass(frozen=True)
class PretrainingBatch:
    """What one forward pass reads.

    Attributes:
        segment_ids: [B] the segments, to name them in messages.
        arrays: Arguments of `DragonForPreTraining.forward`. Not tensors: of those that come from another process each
            keeps a file open, and a step may have thousands.
        after: Where the run is in the data when the batch is done.
    """

    segment_ids: npt.NDArray[np.int64]
    arrays: dict[str, Array]
    after: Cursor

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """The same arrays as tensors."""
        return {name: torch.from_numpy(array) for name, array in self.arrays.items()}

    @property
    def num_masked_tokens(self) -> int:
        """How many tokens are to be predicted."""
        return int((self.arrays["labels"] != IGNORED_LABEL).sum())

    @property
    def num_links(self) -> int:
        """How many edges are to be predicted."""
        return len(self.arrays["link_head"])


class PretrainingCollator:
    """Reads and prepares batches; what it makes of an example depends on (seed, epoch, example) alone."""

    def __init__(
        self,
        dataset: SegmentDataset,
        tokenizer: PreTrainedTokenizerBase,
        masker: WordMasker,
        graphs: GraphCollator,
        targets: LinkTargetSampler | PublishedLinkTargetSampler,
        evaluation_targets: LinkTargetSampler,
        max_length: int,
        seed: int,
        sentences: GraphSentences | None = None,
    ) -> None:
        self._dataset = dataset
        self._tokenizer = tokenizer
        self._masker = masker
        self._graphs = graphs
        self._targets = targets
        self._evaluation_targets = evaluation_targets
        self._max_length = max_length
        self._seed = seed
        self._sentences = sentences

    def __call__(self, batch: Batch) -> PretrainingBatch:
        """Prepare a batch: masked texts and labels [B, T], the graphs without the held-out edges, the link targets."""
        segments, keys = self._read(batch)
        return self._prepared(batch, segments, self._targets(segments.subgraphs, keys), keys)

    def for_evaluation(self, batch: Batch, view: View = View.WHOLE) -> PretrainingBatch:
        """The same, with all nodes that the ends of the held-out edges are to be ranked among (`link_candidates`).

        Args:
            batch: The batch.
            view: What the model is shown; the targets are the same in every view, but without the graph none.
        """
        segments, keys = self._read(batch)
        if view is View.TEXT:
            segments = segments.without_graph()
        elif view is View.GRAPH:
            segments = segments.without_text()
        links = self._evaluation_targets(segments.subgraphs, keys)
        candidates = rank_candidates(segments.subgraphs, links, self._evaluation_targets.symmetric)
        prepared = self._prepared(batch, segments, links, keys)
        prepared.arrays["link_candidates"] = candidates
        return prepared

    def _read(self, batch: Batch) -> tuple[Segments, UInt64s]:
        if not len(batch.examples):
            return self._nothing(), np.zeros(1, np.uint64)
        return self._dataset.read(batch.examples), example_keys(self._seed, batch.epoch, batch.examples)

    def _nothing(self) -> Segments:
        """An empty text without a graph, for a process whose share of a batch is empty: no model reads no text."""
        tokens = np.array(self._tokenizer("")["input_ids"], dtype=np.int64)
        words = np.full(len(tokens), NO_WORD)
        return Segments(np.empty(0, np.int64), [tokens], [words], Subgraphs.empty(1))

    def _prepared(self, batch: Batch, segments: Segments, links: LinkTargets, keys: UInt64s) -> PretrainingBatch:
        if self._sentences is None or not len(batch.examples):
            text = self._text(segments, keys)
        else:
            told = self._sentences(segments.subgraphs, links.kept[0])
            text = self._text_and_sentences(self._dataset.texts(batch.examples), told, keys)
        graphs = self._graphs(segments.subgraphs, links.kept)
        arrays = text | {name: tensor.numpy() for name, tensor in graphs.items()}
        arrays |= {
            "link_head": links.head,
            "link_relation": links.relation,
            "link_tail": links.tail,
            "link_negatives": links.negatives,
        }
        return PretrainingBatch(segments.segment_ids, arrays, batch.after)

    def _text(self, segments: Segments, keys: UInt64s) -> dict[str, Array]:
        lengths = np.array([len(tokens) for tokens in segments.tokens], dtype=np.int64)
        width = -(-int(lengths.max(initial=1)) // PADDING_MULTIPLE) * PADDING_MULTIPLE
        filled = np.arange(width) < lengths[:, None]
        ids = _padded(segments.tokens, filled, self._tokenizer.pad_token_id)
        return self._masked(
            {"attention_mask": filled.astype(np.int64)}, ids, _padded(segments.words, filled, NO_WORD), keys
        )

    def _text_and_sentences(self, texts: list[str], told: list[str], keys: UInt64s) -> dict[str, Array]:
        """Masked texts with what is told of the graph beside them, unmasked."""
        encoded = self._tokenizer(
            texts, told, padding=True, truncation=True, max_length=self._max_length, pad_to_multiple_of=PADDING_MULTIPLE
        )
        ids = np.array(encoded.pop("input_ids"))
        words = np.stack([word_numbers(encoding) for encoding in encoded.encodings or []])
        return self._masked({name: np.array(rows) for name, rows in encoded.items()}, ids, words, keys)

    def _masked(self, others: dict[str, Array], ids: Array, words: Array, keys: UInt64s) -> dict[str, Array]:
        input_ids, labels = self._masker(ids, words, keys)
        return others | {"input_ids": input_ids, "labels": labels}


def _padded(rows: list[Array], filled: npt.NDArray[np.bool_], padding: int) -> npt.NDArray[np.int64]:
    padded = np.full(filled.shape, padding, dtype=np.int64)
    padded[filled] = np.concatenate([*rows, np.empty(0, np.int64)])
    return padded
