"""A run of pretraining: model, data and trainer of a process, and what is written in the end."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from dragon_core.artifacts import Draft, Inputs, Progress
from dragon_core.artifacts.draft import METRICS_NAME, SUMMARY_NAME
from dragon_core.artifacts.lineage import ancestry
from dragon_core.embedding import ENTITIES_NAME
from dragon_core.embedding.encoder import readable_tokens
from dragon_core.graph import KnowledgeGraph
from dragon_core.modeling.saving import save_pretrained
from dragon_core.training.batching import (
    BatchLimits,
    BatchPlan,
    Int64s,
    Sizes,
    evaluation_batches,
    split_evaluation,
)
from dragon_core.training.checkpoints import Checkpoints
from dragon_core.training.collator import PretrainingCollator
from dragon_core.training.curves import curves_table, draw_curves, inline_picture
from dragon_core.training.dataset import SegmentDataset
from dragon_core.training.errors import TrainingError
from dragon_core.training.graph_batch import GraphCollator
from dragon_core.training.graph_text import GraphSentences
from dragon_core.training.history import Numbers
from dragon_core.training.link_targets import LinkTargetSampler
from dragon_core.training.masking import WordMasker
from dragon_core.training.model_card import MODEL_CARD_NAME, model_card, results_table
from dragon_core.training.new_model import new_model
from dragon_core.training.published_links import PublishedLinkTargetSampler
from dragon_core.training.relation_ends import RelationEnds
from dragon_core.training.reproducible import make_reproducible
from dragon_core.training.stage import Pretrain
from dragon_core.training.trainer import Trainer

CURVES_NAME = "curves.parquet"
PICTURE_NAME = "curves.png"

# A process that is lost ends the others; while all live, one may well prepare data for hours.
WAIT = timedelta(days=2)


class TrainingRun:
    """Model, data and trainer of one process.

    Attributes:
        model: The model.
        tokenizer: Its tokenizer.
        trainer: What trains it.
        counts: Steps, segments and parameters.
    """

    def __init__(self, stage: Pretrain, inputs: Inputs, scratch: Path) -> None:
        params, execution = stage.params, stage.execution
        if execution.num_threads:
            torch.set_num_threads(execution.num_threads)
        processes = PartialState(cpu=not torch.cuda.is_available(), timeout=WAIT)
        self._stage, self._inputs = stage, inputs
        self._graph = KnowledgeGraph.open(inputs.graph.folder)
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(stage.encoder.root)
        make_reproducible(params.seed)
        self.model = new_model(stage.encoder.root, inputs.entity_table.path(ENTITIES_NAME), self._graph, params)
        self._check_encoder()
        fingerprint = stage.fingerprint(inputs)
        state = scratch / fingerprint[:16]
        parts = [inputs.subgraphs.path(part) for part in inputs.subgraphs.parts]
        with processes.main_process_first():
            dataset = SegmentDataset.open(parts, state / "shards", self.tokenizer, params.max_length)
        trained, held_out = split_evaluation(
            len(dataset), params.evaluation_share, params.seed, params.max_evaluation_segments
        )
        limits = BatchLimits(params.batch_size, params.batch_tokens, params.batch_edges)
        sizes = _with_full_texts(dataset.sizes, params.max_length) if params.graph_as_text else dataset.sizes
        self.trainer = Trainer(
            self.model,
            params,
            execution,
            self._collator(dataset),
            BatchPlan(trained, sizes, limits, params.seed),
            evaluation_batches(held_out, sizes, limits),
            Checkpoints(state / "checkpoints", fingerprint, execution.kept_checkpoints),
            stage.reference.key,
        )
        self.counts = {
            "steps": params.steps,
            "train_segments": len(trained),
            "evaluation_segments": len(held_out),
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
        }

    def train(self, progress: Progress) -> tuple[dict[str, Any], dict[str, Numbers]]:
        """Train and evaluate the model, which all processes do together.

        Args:
            progress: Told of how far it is.

        Returns:
            The weights, and the metrics of the model shown text or graph alone, if it reads a graph beside the text.
        """
        weights = self.trainer.run(progress)
        reads_both = self.model.config.has_graph and not self._stage.params.graph_as_text
        parts = self.trainer.evaluate_parts() if reads_both else {}
        self.trainer.end()
        return weights, parts

    def write(self, weights: dict[str, Any], parts: dict[str, Numbers], draft: Draft) -> None:
        """Write the model, its tokenizer, and how it was trained, given what `train` gave."""
        # The tokenizer in use remembers how it cut texts.
        save_pretrained(self.model, AutoTokenizer.from_pretrained(self._stage.encoder.root), draft, weights)
        draft.count(**self.counts)
        history = self.trainer.history
        table = curves_table(history.intervals, history.evaluations)
        draft.write_table(CURVES_NAME, table)
        with draft.writing(PICTURE_NAME) as path:
            draw_curves(table, path)
            picture = path.read_bytes()
        results = {
            "before": history.evaluations[0],
            "after": history.evaluation_of(self.trainer.kept_step),
            "evaluations": history.evaluations,
        } | parts
        draft.write_json(METRICS_NAME, results)
        with draft.writing(SUMMARY_NAME) as path:
            title, curves = "## Results on held-out segments", inline_picture(picture, "loss and accuracy by step")
            path.write_text(f"{title}\n\n{results_table(results)}\n{curves}\n", encoding="utf-8")
        settings = self._stage.params.model_dump(mode="json")
        card = model_card(ancestry(self._inputs.store, self._stage), settings, draft.counts, results, PICTURE_NAME)
        with draft.writing(MODEL_CARD_NAME) as path:
            path.write_text(card, encoding="utf-8")

    def _check_encoder(self) -> None:
        name, config, wanted = self._stage.encoder.path, self.model.config, self._stage.params.max_length
        tokens, rows = len(self.tokenizer), config.backbone.vocab_size
        most = readable_tokens(config.backbone)
        if tokens > rows:
            raise TrainingError(
                f"The tokenizer of the encoder {name} has {tokens} tokens, its model embeddings for {rows}: they do not"
                " belong together; give an encoder whose files do."
            )
        if wanted > most:
            raise TrainingError(
                f"max_length is {wanted}, and the encoder {name} reads {most} tokens at most; lower it."
            )

    def _collator(self, dataset: SegmentDataset) -> PretrainingCollator:
        params, graph = self._stage.params, self._graph
        symmetric = np.array([relation.symmetric for relation in graph.relations], dtype=bool)
        # Without link prediction nothing need be held out.
        most = params.max_link_targets if params.predicts_links else 0
        ends = RelationEnds.of(graph) if params.negatives == "relation-aware" else None
        corrected = LinkTargetSampler(symmetric, most, params.link_target_share, params.num_negatives, ends)
        published = PublishedLinkTargetSampler(
            graph.num_relations, most, params.link_target_share, params.num_negatives
        )
        return PretrainingCollator(
            dataset,
            self.tokenizer,
            WordMasker(self.tokenizer, params.mask_share, params.masking == "spans"),
            GraphCollator(graph.num_relations),
            published if params.negatives == "published" else corrected,
            corrected,
            params.max_length,
            params.seed,
            GraphSentences(graph.names, graph.relations) if params.graph_as_text else None,
        )


def _with_full_texts(sizes: Callable[[Int64s], Sizes], max_length: int) -> Callable[[Int64s], Sizes]:
    """Sizes where every text is as long as it may be, since its graph's sentences follow."""
    return lambda examples: Sizes(np.full(len(examples), max_length), sizes(examples).edges)
