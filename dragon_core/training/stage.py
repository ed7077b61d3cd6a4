"""The stage that pretrains the model."""

from pathlib import Path

from dragon_core.artifacts import Artifact, ArtifactReference, Draft, ExternalFiles, Inputs, Progress, Stage, silent
from dragon_core.artifacts.identity import json_digest
from dragon_core.training.errors import TrainingError
from dragon_core.training.parameters import Execution, TrainingParams


class Pretrain(Stage):
    """Pretrains a model on subgraph shards, by masked language modelling and link prediction together.

    Attributes:
        execution: How it is carried out; not in the key.
    """

    name = "checkpoint"
    version = 7
    # In which a process that was told to end writes its last checkpoint; other processes of this run wait as well.
    patience = 60.0
    subgraphs: ArtifactReference
    graph: ArtifactReference
    entity_table: ArtifactReference
    encoder: ExternalFiles
    params: TrainingParams = TrainingParams()
    execution: Execution = Execution()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write the model, its tokenizer, a model card, `curves.parquet`, `curves.png` and `metrics.json`.

        Raises:
            TrainingError: Subgraphs and entity table were not made with this graph, the tokenizer does not fit the
                encoder, there are too few segments, or the loss became NaN or infinite.
        """
        from dragon_core.training.run import TrainingRun

        self._check_graph(inputs)
        run = TrainingRun(self, inputs, draft.scratch)
        weights, parts = run.train(progress)
        run.write(weights, parts, draft)

    def join(self, inputs: Inputs, scratch: Path) -> None:
        """Train with the process that makes the artifact, as another of the same group.

        Args:
            inputs: The artifacts it reads.
            scratch: Where that process keeps its state.
        """
        from dragon_core.training.run import TrainingRun

        self._check_graph(inputs)
        TrainingRun(self, inputs, scratch).train(silent)

    def fingerprint(self, inputs: Inputs) -> str:
        """Digest of everything that the state of an unfinished run depends on."""
        artifacts: list[Artifact] = [inputs.subgraphs, inputs.graph, inputs.entity_table]
        return json_digest([str(self.reference), *(artifact.manifest.digest for artifact in artifacts)])

    def _check_graph(self, inputs: Inputs) -> None:
        for artifact in (inputs.subgraphs, inputs.entity_table):
            record = artifact.manifest.inputs.get("graph")
            if record is not None and record.digest != inputs.graph.manifest.digest:
                raise TrainingError(
                    f"{artifact.reference} was made with the graph {record.reference}, not with {self.graph}; give the"
                    " graph it was made with, or make it again."
                )
