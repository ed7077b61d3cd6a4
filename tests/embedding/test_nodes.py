import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from dragon_core.artifacts import ArtifactStore, Draft, Inputs, Parameters, Progress, Stage, make
from dragon_core.embedding import EmbedNodes
from dragon_core.embedding.encoder import find_encoder
from dragon_core.embedding.nodes import node_texts
from dragon_core.graph import Relation, write_graph
from tests.embedding.killed import NUMBER, stage_in
from tests.graph.graphs import small_graph, tables_of


class WordGraph(Stage):
    """A graph of four words."""

    name = "graph"
    version = 1
    params: Parameters = Parameters()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        names = ["dog", "domestic dog", "cat", "antidisestablishmentarianism"]
        write_graph(draft, tables_of(names, [Relation("is a", "{head} is a {tail}")], [(1, 0, 0)]))


def test_entity_vectors_are_means_of_the_names_tokens(tmp_path: Path) -> None:
    store, encoder = ArtifactStore(str(tmp_path)), find_encoder("embedded")
    graph = make(WordGraph(), store)
    artifact = make(EmbedNodes(graph=graph.reference, encoder=encoder), store)
    table = np.load(artifact.path("entities.npy"))
    assert artifact.manifest.counts["entities"] == len(table) == 4
    batch = AutoTokenizer.from_pretrained(encoder.root)("domestic dog", return_tensors="pt")
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(encoder.root).eval()(**batch).last_hidden_state[0, 1:-1]
    np.testing.assert_allclose(table[1], hidden.mean(0).numpy(), atol=1e-5)


def test_triples_of_a_node_are_read_after_its_name(tmp_path: Path) -> None:
    relations = [Relation("is a", "{head} is a kind of {tail}"), Relation("eats", "{head} eats {tail}")]
    graph = small_graph(tmp_path, ["dog", "animal", "bone"], relations, [(0, 0, 1), (0, 1, 2)])
    assert node_texts(graph, 0) == ["dog", "animal", "bone"]
    assert node_texts(graph, 2) == [
        "dog. dog is a kind of animal. dog eats bone",
        "animal. dog is a kind of animal",
        "bone. dog eats bone",
    ]
    assert node_texts(graph, 1)[0] == "dog. dog is a kind of animal"


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.embedding.killed", str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= NUMBER // 2:
                process.kill()
                break
    resumed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    # What was saved last is at most 10 batches of 4 old, and nothing before it is done again.
    assert NUMBER // 2 - 40 < int(resumed[0]) <= NUMBER
    assert int(resumed[-1]) == NUMBER
    killed, whole = (ArtifactStore(str(tmp_path / name)) for name in ("killed", "whole"))
    assert make(stage_in(killed), killed).manifest.digest == make(stage_in(whole), whole).manifest.digest
