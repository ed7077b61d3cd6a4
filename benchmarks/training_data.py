"""What pretraining is timed on: real shards of WordNet's definitions, and texts and graphs of a given size."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

from dragon_core.artifacts import (
    ArtifactReference,
    ArtifactStore,
    Draft,
    ExternalFiles,
    Inputs,
    Parameters,
    Progress,
    Stage,
    cache_folder,
    make,
    silent,
)
from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.embedding import ENTITIES_NAME
from dragon_core.embedding.encoder import find_encoder
from dragon_core.graph import KnowledgeGraph
from dragon_core.graph.stage import BuildGraph
from dragon_core.graph.wordnet.lifting import WordNetParams
from dragon_core.graph.wordnet.source import find_or_obtain_wordnet
from dragon_core.linking import BuildLinker, DictionaryParams, LinkEntities
from dragon_core.subgraph import ExtractSubgraphs, NodeType, SubgraphParams, subgraphs_schema
from dragon_core.training import Execution, Pretrain, TrainingParams

WIDTH = 384


class RandomTableParams(Parameters):
    """Width of the vectors."""

    width: int = WIDTH


class RandomTable(Stage):
    """An entity table of random vectors, which take as long to look up as an encoder's."""

    name = "entity-table"
    version = 1
    graph: ArtifactReference
    params: RandomTableParams = RandomTableParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write the table."""
        nodes = KnowledgeGraph.open(inputs.graph.folder).num_nodes
        vectors = np.random.default_rng(0).standard_normal((nodes, self.params.width), dtype=np.float32)
        with draft.writing(ENTITIES_NAME) as path, path.open("wb") as file:
            np.save(file, vectors)


def write_encoder(folder: Path, layers: int = 6) -> ExternalFiles:
    """Write a BERT of random weights, 6 layers of 384 by default, with the tokenizer of the embedded encoder."""
    tokenizer = AutoTokenizer.from_pretrained(find_encoder("embedded").root)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=4 * WIDTH,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return ExternalFiles.of(f"{layers}x{WIDTH}", folder)


def wordnet_pretraining(store: ArtifactStore, encoder: ExternalFiles, segments: int) -> Pretrain:
    """Make shards of WordNet's definitions as `pretrain-general` does, ranked by degree, and give the stage."""
    files = find_or_obtain_wordnet(cache_folder(), silent)
    graph = make(BuildGraph(source=files, params=WordNetParams()), store).reference
    corpus = make(
        BuildCorpus(source=files, params=CorpusParams(holdout_share=0, max_segments=segments)), store
    ).reference
    linker = make(BuildLinker(graph=graph, params=DictionaryParams(overlap="longest")), store).reference
    mentions = make(LinkEntities(corpus=corpus, graph=graph, linker=linker), store).reference
    params = SubgraphParams(relevance="degree")
    shards = make(ExtractSubgraphs(mentions=mentions, corpus=corpus, graph=graph, params=params), store).reference
    table = make(RandomTable(graph=graph), store).reference
    return Pretrain(subgraphs=shards, graph=graph, entity_table=table, encoder=encoder)


def with_settings(stage: Pretrain, settings: dict[str, object], execution: dict[str, object]) -> Pretrain:
    """The stage with other parameters."""
    changes = {"params": TrainingParams(**settings), "execution": Execution(**execution)}
    return stage.model_copy(update=changes)


def filled_shard(
    segments: int, words: list[str], length: int, nodes: int, edges: int, relations: int, entities: int
) -> pa.Table:
    """A shard of random texts and subgraphs that are all of one size.

    Args:
        segments: Rows.
        words: What texts are made of.
        length: Words of a text.
        nodes: Of a subgraph; a quarter of them are linked.
        edges: Of a subgraph, or a few less.
        relations: Of the graph.
        entities: Nodes of the graph.
    """
    random = np.random.default_rng(0)
    rows = []
    for segment in range(segments):
        head = random.integers(0, nodes, edges)
        tail = (head + random.integers(1, nodes, edges)) % nodes
        triples = np.unique(np.column_stack([head, tail, random.integers(0, relations, edges)]), axis=0)
        linked = nodes // 4
        row = {
            "segment_id": segment,
            "text": " ".join(random.choice(words, length)),
            "node_id": random.choice(entities, nodes, replace=False),
            "node_type": [NodeType.LINKED] * linked + [NodeType.OTHER] * (nodes - linked),
            "node_score": random.random(nodes),
            "head": triples[:, 0],
            "relation": triples[:, 2],
            "tail": triples[:, 1],
        }
        rows.append(row)
    return pa.Table.from_pylist(rows, subgraphs_schema(nodes, relations))
