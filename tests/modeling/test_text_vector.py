"""What speaks for a text, and at what length the nodes leave the graph network."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModel

from dragon_core.modeling import DragonForPreTraining, DragonModel
from dragon_core.modeling.fusion import Exchange
from dragon_core.modeling.token_mean import token_mean
from tests.modeling.test_backbones import BACKBONES, config_on, padded_batch


@given(st.integers(1, 4), st.integers(1, 6), st.data())
def test_the_mean_is_that_of_the_tokens_that_are_there(count: int, length: int, data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, length), min_size=count, max_size=count))
    text = torch.randn(count, length, 3)
    mask = (torch.arange(length) < torch.tensor(lengths)[:, None]).long()
    expected = torch.stack([of_text[:real].sum(0) / real for of_text, real in zip(text, lengths, strict=True)])
    torch.testing.assert_close(token_mean(text, mask), expected)
    torch.testing.assert_close(token_mean(text, None), text.sum(1) / length)


@pytest.mark.parametrize("residual", ["none", "sum", "layer-norm"])
def test_all_tokens_move_together_so_that_their_mean_is_what_was_exchanged(residual: str) -> None:
    torch.manual_seed(0)
    options = {"interaction_residual": residual, "graph_dropout": 0.0}
    means, firsts = (
        Exchange(config_on(BACKBONES["bert"], text_vector=vector, **options)) for vector in ("mean", "first")
    )
    firsts.load_state_dict(means.state_dict())
    mask = padded_batch()["attention_mask"]
    text, nodes, context = torch.randn(2, 7, 16), torch.randn(10, 8), torch.tensor([0, 6])
    moved, left = means(text, mask, nodes, context, 0)
    # The same numbers as of a text whose first token is the mean.
    spoken, expected_nodes = firsts(token_mean(text, mask)[:, None], None, nodes, context, 0)
    torch.testing.assert_close(left, expected_nodes)
    torch.testing.assert_close(token_mean(moved, mask), spoken[:, 0])
    steps = moved - text
    torch.testing.assert_close(steps, steps[:, :1].expand_as(steps))


def test_the_mean_of_the_text_reaches_the_graph_and_the_head() -> None:
    torch.manual_seed(0)
    config = config_on(BACKBONES["bert"], text_vector="mean", interaction_residual="sum", initializer_range=0.5)
    model, batch = DragonModel(config).eval(), padded_batch()
    # Its last token is another one.
    other = batch | {"input_ids": batch["input_ids"].clone()}
    other["input_ids"][0, -1] += 1
    with torch.no_grad():
        one, two = model(**batch), model(**other)
    torch.testing.assert_close(one.pooler_output, token_mean(one.last_hidden_state, batch["attention_mask"]))
    of_first = batch["node_batch"] == 0
    assert not torch.allclose(one.node_hidden_state[of_first], two.node_hidden_state[of_first], atol=1e-3)
    torch.testing.assert_close(one.node_hidden_state[~of_first], two.node_hidden_state[~of_first])


@pytest.mark.parametrize("initializer_range", [0.02, 0.5])
def test_normed_nodes_have_one_length_whatever_the_weights(initializer_range: float) -> None:
    torch.manual_seed(0)
    model = DragonModel(config_on(BACKBONES["bert"], node_norm=True, initializer_range=initializer_range)).eval()
    with torch.no_grad():
        nodes = model(**padded_batch()).node_hidden_state
    torch.testing.assert_close(nodes.square().mean(dim=1), torch.ones(len(nodes)), atol=0.1, rtol=0)


@pytest.mark.parametrize("name", ["bert", "roberta"])
def test_a_pooler_is_taken_over_if_the_encoder_has_one(name: str, tmp_path: Path) -> None:
    encoder = AutoModel.from_config(BACKBONES[name])
    encoder.save_pretrained(tmp_path)
    model = DragonForPreTraining.from_encoder(tmp_path, num_fusion_layers=-1)
    torch.testing.assert_close(model.dragon.backbone.pooler.dense.weight, encoder.pooler.dense.weight)
