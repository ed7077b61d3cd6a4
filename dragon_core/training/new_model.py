"""A model over a pretrained language model, as it is before any training; also as a stage of its own."""

from pathlib import Path

from pydantic import Field
from transformers import AutoTokenizer

from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Progress, Stage
from dragon_core.embedding import ENTITIES_NAME
from dragon_core.graph import KnowledgeGraph
from dragon_core.modeling import DragonForPreTraining
from dragon_core.modeling.saving import save_pretrained
from dragon_core.training.graph_batch import count_edge_types
from dragon_core.training.parameters import ModelParams
from dragon_core.training.reproducible import make_reproducible


def new_model(encoder: Path, entities: Path, graph: KnowledgeGraph, params: ModelParams) -> DragonForPreTraining:
    """A model whose language model is `encoder`'s and whose other weights are random.

    Args:
        encoder: A language model's folder.
        entities: `entities.npy` of an entity table of the graph.
        graph: The graph it will read.
        params: How it is built.
    """
    return DragonForPreTraining.from_encoder(
        encoder,
        entities,
        num_fusion_layers=params.num_fusion_layers,
        node_size=params.node_size,
        num_edge_types=count_edge_types(graph.num_relations),
        graph_as_text=params.graph_as_text,
        interaction=params.interaction,
        interaction_size=params.interaction_size,
        text_vector=params.text_vector,
        # A norm over text and node together would give all tokens another length, not the first alone.
        interaction_residual="sum" if params.text_vector == "mean" else "layer-norm",
        # Link prediction norms what it scores, so that nothing else would give the nodes a length that the head sees.
        node_norm=True,
        relevance_readout=params.relevance_readout,
        entity_dropout=params.graph_dropout,
        graph_dropout=params.graph_dropout,
        link_decoder=params.link_decoder,
    )


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
        make_reproducible(self.params.seed)
        graph = KnowledgeGraph.open(inputs.graph.folder)
        model = new_model(self.encoder.root, inputs.entity_table.path(ENTITIES_NAME), graph, self.params)
        save_pretrained(model, AutoTokenizer.from_pretrained(self.encoder.root), draft)
        draft.count(parameters=sum(parameter.numel() for parameter in model.parameters()))
