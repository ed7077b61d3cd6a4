"""What pretraining reads, at full size and with nothing in it: language models, texts and subgraphs, all at random."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch
from transformers import BertConfig, BertForMaskedLM, RobertaConfig, RobertaForMaskedLM

from dragon_core.artifacts import ArtifactReference, Draft, Inputs, Parameters, Progress, Stage
from dragon_core.subgraph.params import NodeType
from dragon_core.subgraph.schema import subgraphs_schema
from tests.training.encoders import byte_pair_tokenizer, word_piece_tokenizer

LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
NODES, RELATIONS, EDGES, LINKED = 400, 17, 1000, 8
WORD = "unbelievable "


class FilledSubgraphsParams(Parameters):
    """How many there are, and how large."""

    segments: int
    words: int
    nodes: int


class FilledSubgraphs(Stage):
    """Texts and random subgraphs, all of one size, in the format of the real ones."""

    name: ClassVar[str] = "subgraphs"
    version: ClassVar[int] = 1
    graph: ArtifactReference
    params: FilledSubgraphsParams

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write one shard."""
        random, nodes = np.random.default_rng(0), self.params.nodes
        rows = []
        for segment in range(self.params.segments):
            edges = np.unique(random.integers(0, nodes, (EDGES, 2)), axis=0)
            edges = edges[edges[:, 0] != edges[:, 1]]
            row = {
                "segment_id": segment,
                "text": WORD * self.params.words,
                "node_id": random.choice(NODES, nodes, replace=False),
                "node_type": [NodeType.LINKED] * LINKED + [NodeType.OTHER] * (nodes - LINKED),
                "node_score": [1.0] * nodes,
                "head": edges[:, 0],
                "relation": random.integers(0, RELATIONS, len(edges)),
                "tail": edges[:, 1],
            }
            rows.append(row)
        draft.write_table("part-00000.parquet", pa.Table.from_pylist(rows, subgraphs_schema(nodes, RELATIONS)))


def write_encoder(name: str, folder: Path, layers: int) -> None:
    """Write a random language model of the sizes of one of the Hub, with a small tokenizer."""
    sizes = LARGE | {"num_hidden_layers": layers}
    torch.manual_seed(0)
    match name:
        case "roberta-large":
            roberta = RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, **sizes)
            RobertaForMaskedLM(roberta).save_pretrained(folder)
            byte_pair_tokenizer().save_pretrained(folder)
        case "michiyasunaga/BioLinkBERT-large":
            bert = BertConfig(vocab_size=28895, max_position_embeddings=512, **sizes)
            BertForMaskedLM(bert).save_pretrained(folder)
            word_piece_tokenizer().save_pretrained(folder)
        case _:
            raise ValueError(f"The sizes of {name} are not known here; add them to write_encoder.")


def write_triples(path: Path) -> None:
    """Write a graph that has all nodes and all relations."""
    triples = [f"c{n}\tr{n % RELATIONS}\tc{(n + 1) % NODES}\n" for n in range(NODES)]
    path.write_text("head\trelation\ttail\n" + "".join(triples), encoding="utf-8")
