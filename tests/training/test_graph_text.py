from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

from dragon_core.embedding.encoder import find_encoder
from dragon_core.graph import Relation
from dragon_core.training.graph_text import GraphSentences
from dragon_core.training.masking import NO_WORD, word_numbers
from dragon_core.training.subgraphs import Subgraphs

NAMES = ["dog", "animal", "leg", "cat"]
RELATIONS = [Relation("is a", "{head} is a {tail}"), Relation("part of", "{head} is part of a {tail}")]
COLUMNS = {
    "node_counts": [2, 0, 3],
    "edge_counts": [1, 0, 2],
    "node_id": [0, 1, 2, 3, 0],
    "node_type": [0, 2, 0, 0, 2],
    "node_score": [1, 1, 1, 1, 1],
    "head": [0, 0, 0],
    "relation": [0, 1, 1],
    "tail": [1, 1, 2],
}


def test_each_triple_is_a_sentence_of_its_own_subgraph() -> None:
    subgraphs = Subgraphs(**{name: np.array(values) for name, values in COLUMNS.items()})
    sentences = GraphSentences(NAMES, RELATIONS)
    assert sentences(subgraphs) == ["dog is a animal.", "", "leg is part of a cat. leg is part of a dog."]
    assert sentences(subgraphs, np.array([True, False, True])) == ["dog is a animal.", "", "leg is part of a dog."]


def test_what_is_told_is_never_masked(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(find_encoder("embedded").root)
    encoded = tokenizer(["a dog barks"], ["dog is a animal."], padding=True)
    words = word_numbers(encoded.encodings[0])
    told = np.array([sequence == 1 for sequence in encoded.encodings[0].sequence_ids])
    assert (words[told] == NO_WORD).all()
    assert sorted({*words[~told]} - {NO_WORD}) == [0, 1, 2]
