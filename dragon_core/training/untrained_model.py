"""The stage that makes a model as it is before any training."""

from pydantic import Field

from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Progress, Stage
from dragon_core.embedding import ENTITIES_NAME
from dragon_core.graph import KnowledgeGraph
from dragon_core.training.parameters import ModelParams


class UntrainedModelParams(ModelParams):
    """How the model is built, and drawn."""

    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the new weights.")


class UntrainedModel(Stage):
    """What baselines without joint pretraining start from; `Pretrain` starts from the same with the same seed."""

    name = "untrained-model"
    version = 1
    graph: ArtifactReference
    entity_table: ArtifactReference
    encoder: ExternalFiles
    params: UntrainedModelParams = UntrainedModelParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write the model and its tokenizer."""
        from transformers import AutoTokenizer

        from dragon_core.modeling.saving import save_pretrained
        from dragon_core.training.new_model import new_model
        from dragon_core.training.reproducible import make_reproducible

        make_reproducible(self.params.seed)
        graph = KnowledgeGraph.open(inputs.graph.folder)
        model = new_model(self.encoder.root, inputs.entity_table.path(ENTITIES_NAME), graph, self.params)
        save_pretrained(model, AutoTokenizer.from_pretrained(self.encoder.root), draft)
        draft.count(parameters=sum(parameter.numel() for parameter in model.parameters()))
