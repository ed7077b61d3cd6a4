"""Batches that the model is timed on: random ones of a given size, and real subgraphs of ConceptNet."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from benchmarks.conceptnet import conceptnet_tables, linked_statements, questions
from benchmarks.golden import Golden, Tensors, batch_of
from benchmarks.reporting import writer_of
from dragon_core.graph import KnowledgeGraph, write_graph
from dragon_core.linking import DictionaryParams
from dragon_core.modeling import DragonConfig
from dragon_core.subgraph import SubgraphExtractor, SubgraphParams, subgraph_fields
from dragon_core.subgraph.relevance import DegreeRelevance
from dragon_core.training.graph_batch import GraphCollator, count_edge_types
from dragon_core.training.link_targets import LinkTargetSampler
from dragon_core.training.random_numbers import example_keys
from dragon_core.training.subgraphs import Subgraphs

VOCABULARY = 30522
MASKED_SHARE = 0.15


def random_inputs(
    sequences: int, tokens: int, nodes: int, edges: int, triples: int, negatives: int, config: DragonConfig
) -> Tensors:
    """A random batch in the form of the golden fixtures' inputs; every graph has all its node slots filled."""
    shape, vocabulary = (sequences, 1), config.backbone.vocab_size
    ids = torch.randint(5, vocabulary, (*shape, tokens))
    types = torch.randint(0, 3, (*shape, nodes))
    types[..., 0] = config.num_node_types - 1
    concepts = torch.randint(1, config.num_entities, (*shape, nodes))
    concepts[..., 0] = 0
    inputs = {
        "input_ids": ids,
        "lm_input_ids": ids,
        "lm_labels": torch.where(torch.rand(ids.shape) < MASKED_SHARE, ids, -100),
        "attention_mask": torch.ones_like(ids),
        "token_type_ids": torch.zeros_like(ids),
        "adj_lengths": torch.full(shape, nodes),
        "node_type_ids": types,
        "concept_ids": concepts,
        "node_scores": torch.zeros(*shape, nodes, 1),
    }
    for sequence in range(sequences):
        relations = torch.randint(0, config.num_edge_types, (edges + triples,))
        ends = torch.randint(1, nodes, (2, triples))
        inputs |= {
            f"edge_index.{sequence}.0": torch.randint(0, nodes, (2, edges)),
            f"edge_type.{sequence}.0": relations[:edges],
            f"pos_triples.{sequence}.0": torch.stack([ends[0], relations[edges:], ends[1]]),
            f"neg_nodes.{sequence}.0": torch.randint(1, nodes, (triples, negatives)),
        }
    return inputs


def as_arguments(inputs: Tensors, config: DragonConfig) -> dict[str, torch.Tensor]:
    """The same batch as arguments of `DragonForPreTraining`, without padding."""
    labels = torch.zeros(len(inputs["adj_lengths"]), dtype=torch.long)
    golden = Golden(config, {}, inputs, {}, labels, has_mlm=True, has_links=True, has_answers=False)
    batch, _ = batch_of(golden, padding=False)
    return batch | golden.links() | {"labels": inputs["lm_labels"].flatten(0, 1)}


def conceptnet_graphs(folder: Path, sequences: int) -> tuple[dict[str, torch.Tensor], int] | None:
    """The graphs and link targets of a batch of CommonsenseQA questions, over all of ConceptNet that is there.

    Args:
        folder: Where the graph may be written.
        sequences: Questions.

    Returns:
        Arguments of `DragonForPreTraining`, and the number of edge types; None if the data are not there.
    """
    tables, items = conceptnet_tables(), questions("dev")
    if not (tables and items):
        return None
    write_graph(writer_of(folder), tables)
    graph = KnowledgeGraph.open(folder)
    params = SubgraphParams(relevance="degree")
    named = linked_statements(graph, items[:sequences], DictionaryParams(overlap="longest"))
    found = SubgraphExtractor(graph, params, DegreeRelevance()).extract(named)
    schema = pa.schema(subgraph_fields(params.max_nodes, graph.num_relations))
    subgraphs = Subgraphs.of_table(pa.record_batch(found.to_arrow(schema), schema=schema))
    targets = LinkTargetSampler(np.zeros(graph.num_relations, dtype=bool))(
        subgraphs, example_keys(0, 0, np.arange(sequences))
    )
    arguments: dict[str, Any] = GraphCollator(graph.num_relations)(subgraphs, targets.kept)
    for name in ("head", "relation", "tail", "negatives"):
        arguments[f"link_{name}"] = torch.from_numpy(getattr(targets, name))
    return arguments, count_edge_types(graph.num_relations)
