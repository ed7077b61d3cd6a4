"""The stage that pretrains the model."""

from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from dragon_core.artifacts import Artifact, ArtifactReference, Draft, ExternalFiles, Inputs, Progress, Stage
from dragon_core.artifacts.identity import json_digest
from dragon_core.embedding import ENTITIES_NAME
from dragon_core.graph import KnowledgeGraph
from dragon_core.modeling import DragonForPreTraining
from dragon_core.modeling.saving import save_pretrained
from dragon_core.training.batching import BatchPlan, split_evaluation
from dragon_core.training.checkpoints import Checkpoints
from dragon_core.training.collator import PretrainingCollator, evaluation_batches
from dragon_core.training.curves import curves_markdown, curves_table, draw_curves
from dragon_core.training.dataset import SegmentDataset
from dragon_core.training.errors import TrainingError
from dragon_core.training.graph_batch import GraphCollator, count_edge_types
from dragon_core.training.graph_text import GraphSentences
from dragon_core.training.link_targets import LinkTargetSampler
from dragon_core.training.masking import WholeWordMasker
from dragon_core.training.parameters import TrainingParams
from dragon_core.training.reproducible import make_reproducible
from dragon_core.training.trainer import History, Trainer

CURVES_NAME = "curves.parquet"
METRICS_NAME = "metrics.json"
PICTURE_NAME = "curves.png"


class Pretrain(Stage):
    """Pretrains a model on subgraph shards, by masked language modelling and link prediction together."""

    name = "checkpoint"
    version = 5
    subgraphs: ArtifactReference
    graph: ArtifactReference
    entity_table: ArtifactReference
    encoder: ExternalFiles
    params: TrainingParams = TrainingParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write the model, its tokenizer, `curves.parquet`, `curves.png` and `metrics.json`.

        Raises:
            TrainingError: Subgraphs and entity table were not made with this graph, there are too few segments, or the
                loss became NaN or infinite.
        """
        self._check_graph(inputs)
        params = self.params
        if params.num_threads:
            torch.set_num_threads(params.num_threads)
        make_reproducible(params.seed)
        fingerprint = self._fingerprint(inputs)
        scratch = draft.scratch / fingerprint[:16]
        graph = KnowledgeGraph.open(inputs.graph.folder)
        dataset = SegmentDataset.open(
            [inputs.subgraphs.path(part) for part in inputs.subgraphs.parts], scratch / "shards"
        )
        trained, held_out = split_evaluation(len(dataset), params.evaluation_share, params.seed)
        tokenizer = AutoTokenizer.from_pretrained(self.encoder.root)
        trainer = Trainer(
            self._model(graph, inputs.entity_table.path(ENTITIES_NAME)),
            params,
            self._collator(dataset, tokenizer, graph),
            BatchPlan(trained, dataset.text_bytes[trained], params.batch_size, params.seed),
            list(evaluation_batches(held_out, dataset.text_bytes[held_out], params.batch_size)),
            Checkpoints(scratch / "checkpoints", fingerprint),
        )
        model = trainer.run(progress)
        save_pretrained(model, tokenizer, draft)
        _save_history(trainer.history, draft)
        draft.count(steps=params.steps, train_segments=len(trained), evaluation_segments=len(held_out))

    def _model(self, graph: KnowledgeGraph, entities: Path) -> DragonForPreTraining:
        params = self.params
        return DragonForPreTraining.from_encoder(
            self.encoder.root,
            entities,
            num_fusion_layers=params.num_fusion_layers,
            node_size=params.node_size,
            num_edge_types=count_edge_types(graph.num_relations),
            graph_as_text=params.graph_as_text,
            interaction=params.interaction,
            interaction_size=params.interaction_size,
            entity_dropout=params.graph_dropout,
            graph_dropout=params.graph_dropout,
            link_decoder=params.link_decoder,
        )

    def _collator(
        self, dataset: SegmentDataset, tokenizer: PreTrainedTokenizerBase, graph: KnowledgeGraph
    ) -> PretrainingCollator:
        params = self.params
        symmetric = np.array([relation.symmetric for relation in graph.relations], dtype=bool)
        # Without link prediction nothing need be held out.
        max_targets = params.max_link_targets if params.num_fusion_layers >= 0 else 0
        return PretrainingCollator(
            dataset,
            tokenizer,
            WholeWordMasker(tokenizer, params.mask_share),
            GraphCollator(graph.num_relations),
            LinkTargetSampler(symmetric, max_targets, params.link_target_share, params.num_negatives),
            params.max_length,
            params.seed,
            GraphSentences(graph.names, graph.relations) if params.graph_as_text else None,
        )

    def _check_graph(self, inputs: Inputs) -> None:
        for artifact in (inputs.subgraphs, inputs.entity_table):
            record = artifact.manifest.inputs.get("graph")
            if record is not None and record.digest != inputs.graph.manifest.digest:
                raise TrainingError(
                    f"{artifact.reference} was made with the graph {record.reference}, not with {self.graph}; give the"
                    " graph it was made with, or make it again."
                )

    def _fingerprint(self, inputs: Inputs) -> str:
        artifacts: list[Artifact] = [inputs.subgraphs, inputs.graph, inputs.entity_table]
        return json_digest([str(self.reference), *(artifact.manifest.digest for artifact in artifacts)])


def _save_history(history: History, draft: Draft) -> None:
    table = curves_table(history.steps, history.evaluations)
    draft.write_table(CURVES_NAME, table)
    with draft.writing(PICTURE_NAME) as path:
        draw_curves(table, path)
        picture = path.read_bytes()
    before, after = history.evaluations[0], history.evaluations[-1]
    draft.write_json(METRICS_NAME, {"before": before, "after": after, "evaluations": history.evaluations})
    with draft.writing("summary.md") as path:
        path.write_text(curves_markdown(before, after, picture), encoding="utf-8")
