"""What pretraining reads, at full size and with nothing in it: language models, texts and subgraphs, all at random."""

from pathlib import Path
from typing import ClassVar

import torch
from transformers import BertConfig, BertForMaskedLM, RobertaConfig, RobertaForMaskedLM

from benchmarks.training_data import filled_shard
from dragon_core.artifacts import ArtifactReference, Draft, Inputs, Parameters, Progress, Stage
from tests.training.encoders import byte_pair_tokenizer, word_piece_tokenizer

LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
NODES, RELATIONS, EDGES = 400, 17, 1000
WORD = "unbelievable"


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
        params = self.params
        shard = filled_shard(params.segments, [WORD], params.words, params.nodes, EDGES, RELATIONS, NODES)
        draft.write_table("part-00000.parquet", shard)


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
