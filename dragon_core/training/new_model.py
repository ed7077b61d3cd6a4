"""A model over a pretrained language model, as it is before any training."""

from pathlib import Path

from dragon_core.graph import KnowledgeGraph
from dragon_core.modeling import DragonForPreTraining
from dragon_core.training.graph_batch import count_edge_types
from dragon_core.training.parameters import ModelParams


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
