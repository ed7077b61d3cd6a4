"""The entity table: one vector a node of the graph, which is what the model first knows of a concept.

A node's vector is the mean of the language model's last hidden states over the tokens of its name, and of some of its
triples in words if so asked (as in Feng et al., EMNLP 2020).
"""

import shutil
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Parameters, Progress, Stage
from dragon_core.embedding.schema import ENTITIES_NAME
from dragon_core.graph import KnowledgeGraph

if TYPE_CHECKING:
    from dragon_core.embedding.pooling import TextEncoder

DONE_NAME = "entities.done"
BATCHES_BETWEEN_SAVES = 50


class EntityTableParams(Parameters):
    """How nodes are embedded."""

    triples: int = Field(0, ge=0, description="Triples of a node that are read after its name, as sentences.")
    batch_size: int = Field(256, ge=1, description="Nodes that the language model reads at once.")
    max_tokens: int = Field(16, ge=3, description="Tokens after which what is read of a node is cut.")


class EmbedNodes(Stage):
    """Embeds every node with the language model; a run that was killed goes on where it was."""

    name = "entity-table"
    version = 2
    graph: ArtifactReference
    encoder: ExternalFiles
    params: EntityTableParams = EntityTableParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write `entities.npy`."""
        from dragon_core.embedding.pooling import TextEncoder

        texts = node_texts(KnowledgeGraph.open(inputs.graph.folder), self.params.triples)
        encoder = TextEncoder.load(self.encoder.root)
        scratch = draft.scratch / inputs.graph.manifest.digest[:16]
        scratch.mkdir(exist_ok=True)
        table = embed_resumably(texts, encoder, self.params, scratch, progress)
        with draft.writing(ENTITIES_NAME) as path:
            shutil.copyfile(table, path)
        draft.count(entities=len(texts), entity_size=encoder.size)


def node_texts(graph: KnowledgeGraph, triples: int) -> list[str]:
    """What is read of each node: its name, then at most `triples` of its edges by the templates of their relations."""
    if not triples:
        return graph.names
    return [_with_triples(graph, node, triples) for node in range(graph.num_nodes)]


def embed_resumably(
    texts: list[str], encoder: "TextEncoder", params: EntityTableParams, scratch: Path, progress: Progress
) -> Path:
    """Embed texts into a file that a killed run leaves for the next one.

    Args:
        texts: One a node.
        encoder: Reads them.
        params: In batches of which size.
        scratch: Folder of the unfinished file.
        progress: Told of the texts done.

    Returns:
        Path of the table [len(texts), encoder.size], float32, in numpy's format.
    """
    path, done_path = scratch / ENTITIES_NAME, scratch / DONE_NAME
    done = int(done_path.read_text()) if path.exists() and done_path.exists() else 0
    shape = (len(texts), encoder.size)
    table = np.lib.format.open_memmap(path, mode="r+" if done else "w+", dtype=np.float32, shape=shape)
    # Texts of one length side by side need no padding.
    order = sorted(range(len(texts)), key=lambda node: (len(texts[node]), node))
    for number, start in enumerate(range(done, len(order), params.batch_size), start=1):
        chosen = order[start : start + params.batch_size]
        table[chosen] = encoder.embed([texts[node] for node in chosen], params.max_tokens)
        if number % BATCHES_BETWEEN_SAVES == 0:
            table.flush()
            _replace(done_path, str(start + len(chosen)))
        progress(start + len(chosen), len(order))
    table.flush()
    return path


def _replace(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(path)


def _with_triples(graph: KnowledgeGraph, node: int, triples: int) -> str:
    name = graph.names[node]
    outgoing = ((r, name, graph.names[tail]) for r, tail in zip(*graph.edges_from(node), strict=True))
    incoming = ((r, graph.names[head], name) for r, head in zip(*graph.edges_to(node), strict=True))
    stated = islice(chain(outgoing, incoming), triples)
    sentences = [graph.relations[relation].template.format(head=head, tail=tail) for relation, head, tail in stated]
    return ". ".join([name, *sentences])
