"""Batches that the model is timed on: random ones of a given size, and real subgraphs of ConceptNet."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.conceptnet import names_of, questions, triples_of_82k, triples_of_conceptnet4
from benchmarks.golden import Golden, Tensors, batch_of
from dragon_core.graph import Relation
from dragon_core.linking import DictionaryParams
from dragon_core.linking.dictionary.linker import DictionaryLinker
from dragon_core.modeling import DragonConfig
from dragon_core.subgraph.extraction import SubgraphExtractor, SubgraphParams
from dragon_core.training.graph_batch import GraphCollator, Subgraphs, count_edge_types
from dragon_core.training.link_targets import LinkTargetSampler
from dragon_core.training.random_numbers import example_keys
from tests.graph.graphs import small_graph

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
    items = questions("dev")
    triples = {*triples_of_82k(), *triples_of_conceptnet4()}
    if not (triples and items):
        return None
    names = names_of(iter(triples))
    relations = sorted({relation for _, relation, _ in triples})
    ids, relation_ids = ({key: i for i, key in enumerate(keys)} for keys in (names, relations))
    graph = small_graph(
        folder,
        names,
        [Relation(name, f"{{head}} {name} {{tail}}") for name in relations],
        [(ids[head], relation_ids[relation], ids[tail]) for head, relation, tail in sorted(triples)],
    )
    linker = DictionaryLinker.of(graph.nodes, DictionaryParams(overlap="longest"))
    extractor = SubgraphExtractor(graph, SubgraphParams())
    subgraphs = Subgraphs.of(
        extractor.extract([mention.node for mention in linker.link([text])[0]])
        for text in map(_statement, items[:sequences])
    )
    targets = LinkTargetSampler(np.zeros(len(relations), dtype=bool))(
        subgraphs, example_keys(0, 0, np.arange(sequences))
    )
    arguments: dict[str, Any] = GraphCollator(len(relations))(subgraphs, targets.kept)
    for name in ("head", "relation", "tail", "negatives"):
        arguments[f"link_{name}"] = torch.from_numpy(getattr(targets, name))
    return arguments, count_edge_types(len(relations))


def _statement(question: dict[str, Any]) -> str:
    """A question's stem with all its choices, which is about as much text as a segment has."""
    return " ".join([question["stem"], *(choice["text"] for choice in question["choices"])])
