from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, BertConfig

from dragon_core.embedding.encoder import EncoderError, find_encoder
from dragon_core.modeling import (
    DragonConfig,
    DragonForMultipleChoice,
    DragonForPreTraining,
    DragonModel,
)

BACKBONE = BertConfig(
    vocab_size=60,
    hidden_size=16,
    num_hidden_layers=3,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=32,
)
OPTIONS = {"num_fusion_layers": 2, "node_size": 8, "num_edge_types": 6, "interaction_size": 12, "entities": "random"}


def small_config(**options: object) -> DragonConfig:
    return DragonConfig(backbone=BACKBONE, **(OPTIONS | {"num_entities": 20, "entity_size": 10} | options))


def random_batch(sizes: list[int], seed: int = 0) -> dict[str, torch.Tensor]:
    """Texts of 7 tokens, each with a random graph of the given number of nodes."""
    generator = torch.Generator().manual_seed(seed)
    concept_ids, types, graph, edges, edge_types, offset = [], [], [], [], [], 0
    for number, size in enumerate(sizes):
        concept_ids += [0, *torch.randint(1, 21, (size - 1,), generator=generator).tolist()]
        types += [3, *torch.randint(0, 3, (size - 1,), generator=generator).tolist()]
        graph += [number] * size
        count = 3 * (size - 1)
        edges.append(torch.randint(0, size, (2, count), generator=generator) + offset)
        edge_types.append(torch.randint(0, 6, (count,), generator=generator))
        offset += size
    return {
        "input_ids": torch.randint(5, 60, (len(sizes), 7), generator=generator),
        "concept_ids": torch.tensor(concept_ids),
        "node_types": torch.tensor(types),
        "node_scores": torch.rand(offset, generator=generator),
        "node_batch": torch.tensor(graph),
        "edge_index": torch.cat(edges, dim=1),
        "edge_type": torch.cat(edge_types),
    }


def graph_of(batch: dict[str, torch.Tensor], number: int) -> dict[str, torch.Tensor]:
    nodes = batch["node_batch"] == number
    first = int(nodes.nonzero()[0])
    edges = nodes[batch["edge_index"][0]]
    return {
        "input_ids": batch["input_ids"][number : number + 1],
        **{name: batch[name][nodes] for name in ("concept_ids", "node_types", "node_scores")},
        "node_batch": torch.zeros(int(nodes.sum()), dtype=torch.long),
        "edge_index": batch["edge_index"][:, edges] - first,
        "edge_type": batch["edge_type"][edges],
    }


def test_a_batch_gives_what_its_graphs_give_alone() -> None:
    model = DragonModel(small_config()).eval()
    batch = random_batch([5, 1, 9, 2])
    together = model(**batch)
    for number in range(4):
        alone = model(**graph_of(batch, number))
        torch.testing.assert_close(alone.pooler_output[0], together.pooler_output[number])
        nodes = together.node_hidden_state[batch["node_batch"] == number]
        torch.testing.assert_close(alone.node_hidden_state, nodes)


@pytest.mark.parametrize(
    ("interaction", "reads"),
    [("every", (True, True)), ("every-other", (True, True)), ("none", (False, False)), ("once", (False, True))],
)
def test_each_interaction_lets_through_what_it_says(interaction: str, reads: tuple[bool, bool]) -> None:
    """Whether the text reads the graph, and the graph the text."""
    torch.manual_seed(0)
    model = DragonModel(small_config(interaction=interaction, initializer_range=0.5)).eval()
    batch = random_batch([6, 4])
    before = model(**batch)
    other_nodes = model(**(batch | {"concept_ids": torch.where(batch["concept_ids"] == 0, 0, 1)}))
    other_text = model(**(batch | {"input_ids": batch["input_ids"].flip(1)}))
    text_reads = not torch.equal(before.pooler_output, other_nodes.pooler_output)
    graph_reads = not torch.equal(before.node_hidden_state, other_text.node_hidden_state)
    assert (text_reads, graph_reads) == reads


@pytest.mark.parametrize("interaction", ["every", "none", "once"])
def test_gradients_reach_every_trained_parameter(interaction: str) -> None:
    model = DragonForPreTraining(small_config(interaction=interaction))
    batch = random_batch([6, 4])
    labels = torch.full((2, 7), -100)
    labels[:, 2] = 9
    links = {
        "link_head": torch.tensor([1]),
        "link_relation": torch.tensor([3]),
        "link_tail": torch.tensor([2]),
        "link_negatives": torch.tensor([[3, 4, 5, 3]]),
    }
    model(labels=labels, **links, **batch).loss.backward()
    untouched = [n for n, p in model.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())]
    # The pooled text and the scores of what is not linked are read by the question-answering head alone.
    assert {name.split(".")[2] for name in untouched} <= {"pooler"}


def test_checkpoints_share_the_file_of_a_frozen_entity_table(tmp_path: Path) -> None:
    np.save(tmp_path / "entities.npy", np.random.default_rng(0).normal(size=(20, 10)).astype(np.float32))
    model = DragonForPreTraining(small_config(entities="frozen")).eval()
    batch = random_batch([5, 3])
    with pytest.raises(ValueError, match=r"no entity vectors yet: call load_entities\(\)"):
        model(**batch)
    model.dragon.load_entities(tmp_path / "entities.npy")
    model.save_pretrained(tmp_path / "model")
    loaded = DragonForPreTraining.from_pretrained(tmp_path / "model").eval()
    loaded.dragon.load_entities(tmp_path / "entities.npy")
    expected = model(**batch).model.node_hidden_state
    torch.testing.assert_close(loaded(**batch).model.node_hidden_state, expected, rtol=0, atol=0)
    assert not [name for name in load_file(tmp_path / "model" / "model.safetensors") if "entities" in name]
    assert isinstance(AutoModel.from_pretrained(tmp_path / "model"), DragonModel)


@pytest.mark.parametrize("entities", ["trainable", "random"])
def test_other_entity_tables_are_saved_with_the_model(entities: str, tmp_path: Path) -> None:
    table = np.random.default_rng(0).normal(size=(20, 10)).astype(np.float32)
    np.save(tmp_path / "entities.npy", table)
    model = DragonForPreTraining(small_config(entities=entities))
    assert model.dragon.entities.weight.std() > 0
    model.dragon.load_entities(tmp_path / "entities.npy")
    model.save_pretrained(tmp_path / "model")
    loaded = DragonForPreTraining.from_pretrained(tmp_path / "model")
    np.testing.assert_array_equal(loaded.dragon.entities.weight.detach().numpy(), table)
    assert ("dragon.entities.weight" in dict(loaded.named_parameters())) is (entities == "trainable")


def test_question_answering_takes_over_the_pretrained_encoder(tmp_path: Path) -> None:
    pretrained = DragonForPreTraining(small_config())
    pretrained.save_pretrained(tmp_path)
    model = DragonForMultipleChoice.from_pretrained(tmp_path)
    ours = model.dragon.state_dict()
    for name, value in pretrained.dragon.state_dict().items():
        torch.testing.assert_close(ours[name], value, rtol=0, atol=0)
    output = model.eval()(num_choices=2, labels=torch.tensor([1, 0]), **random_batch([5, 1, 3, 4]))
    assert output.logits.shape == (2, 2)
    # Attention sums to 1 in each graph, and the context node has some only where it is alone.
    torch.testing.assert_close(output.node_attention.sum(), torch.tensor(4.0 * model.config.num_pooling_heads))
    assert output.node_attention[:, 0].eq(0).all()
    assert output.node_attention[:, 5].eq(1).all()


def test_an_entity_table_of_another_graph_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "entities.npy", np.zeros((7, 10), dtype=np.float32))
    with pytest.raises(ValueError, match=r"\(7, 10\); the model was made for \(20, 10\)"):
        DragonModel(small_config()).load_entities(tmp_path / "entities.npy")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_fusion_layers": 4}, "num_fusion_layers is 4"),
        ({"interaction": "sometimes"}, "interaction is 'sometimes'"),
        ({"node_size": 10}, "no multiple of num_graph_heads"),
        ({"graph_dropout": 1.0}, "graph_dropout is 1.0"),
    ],
)
def test_impossible_configurations_name_the_field(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_config(**options)


def test_the_lm_alone_is_the_encoder_it_was_made_from() -> None:
    folder = find_encoder("embedded").root
    model = DragonForPreTraining.from_encoder(folder, num_fusion_layers=-1).eval()
    encoder = AutoModelForMaskedLM.from_pretrained(folder).eval()
    batch = AutoTokenizer.from_pretrained(folder)("The capital of France is [MASK].", return_tensors="pt")
    labels = torch.where(batch["input_ids"] == 103, batch["input_ids"], -100)
    with torch.no_grad():
        ours = model(labels=labels, **batch).mlm_logits
        expected = encoder(**batch).logits[labels != -100]
    torch.testing.assert_close(ours, expected)


def test_a_missing_encoder_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderError, match=r"holds no config\.json"):
        find_encoder(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EncoderError, match="no weights"):
        find_encoder(str(tmp_path))
    (tmp_path / "pytorch_model.bin").touch()
    assert find_encoder(str(tmp_path)).root == tmp_path
    with pytest.raises(EncoderError, match="no language model 'no such model'"):
        find_encoder("no such model")
