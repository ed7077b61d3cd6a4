"""What every language model must do as a backbone, and what transformers' users expect of any model."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForPreTraining,
    AutoModelForSequenceClassification,
    PreTrainedConfig,
)

from dragon_core.modeling import (
    DragonConfig,
    DragonForMultipleChoice,
    DragonForPreTraining,
    DragonForSequenceClassification,
    DragonModel,
)
from tests.modeling.test_models import OPTIONS, random_batch

SIZES = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
}
DEBERTA = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8, "share_att_key": True}
BACKBONES = {
    "bert": AutoConfig.for_model("bert", **SIZES),
    "roberta": AutoConfig.for_model("roberta", **SIZES, type_vocab_size=1),
    "electra": AutoConfig.for_model("electra", **SIZES, embedding_size=12),
    "deberta-v2": AutoConfig.for_model(
        "deberta-v2", **SIZES, **DEBERTA, norm_rel_ebd="layer_norm", conv_kernel_size=3, conv_act="gelu"
    ),
}


def config_on(backbone: PreTrainedConfig, **options: Any) -> DragonConfig:
    return DragonConfig(backbone=backbone, **(OPTIONS | {"num_entities": 20, "entity_size": 10} | options))


def padded_batch() -> dict[str, torch.Tensor]:
    mask = torch.ones(2, 7, dtype=torch.long)
    mask[1, 4:] = 0
    return random_batch([6, 4]) | {"attention_mask": mask}


@pytest.fixture(params=BACKBONES, ids=str)
def backbone(request: pytest.FixtureRequest) -> PreTrainedConfig:
    return BACKBONES[request.param]


def test_layer_by_layer_is_the_model_as_a_whole(backbone: PreTrainedConfig) -> None:
    model = DragonModel(config_on(backbone, num_fusion_layers=-1)).eval()
    batch = {name: padded_batch()[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        expected = model.backbone(**batch).last_hidden_state
        torch.testing.assert_close(model(**batch).last_hidden_state, expected)


def test_a_masked_lm_is_taken_over_whole(backbone: PreTrainedConfig, tmp_path: Path) -> None:
    encoder = AutoModelForMaskedLM.from_config(backbone).eval()
    encoder.save_pretrained(tmp_path)
    model = DragonForPreTraining.from_encoder(tmp_path, num_fusion_layers=-1).eval()
    batch = {name: padded_batch()[name] for name in ("input_ids", "attention_mask")}
    labels = torch.where(batch["attention_mask"] == 1, batch["input_ids"], -100)
    with torch.no_grad():
        expected = encoder(**batch).logits[labels != -100]
        torch.testing.assert_close(model(labels=labels, **batch).mlm_logits, expected)
    assert not model.has_new_lm_head


def test_a_masked_lm_head_is_new_where_the_encoder_has_none(backbone: PreTrainedConfig, tmp_path: Path) -> None:
    AutoModel.from_config(backbone).save_pretrained(tmp_path)
    assert DragonForPreTraining.from_encoder(tmp_path, num_fusion_layers=-1).has_new_lm_head


def test_text_reads_the_graph_on_every_backbone(backbone: PreTrainedConfig) -> None:
    torch.manual_seed(0)
    model = DragonModel(config_on(backbone, initializer_range=0.5)).eval()
    batch = padded_batch()
    other = batch | {"concept_ids": torch.where(batch["concept_ids"] == 0, 0, 1)}
    assert not torch.equal(model(**batch).pooler_output, model(**other).pooler_output)


def test_attentions_are_given_on_request(backbone: PreTrainedConfig, tmp_path: Path) -> None:
    DragonModel(config_on(backbone)).save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    batch = padded_batch()
    output = model(output_attentions=True, **batch)
    assert [tuple(a.shape) for a in output.attentions] == [(2, 2, 7, 7)] * 3
    torch.testing.assert_close(output.attentions[0][0].sum(-1), torch.ones(2, 7))
    heads, nodes = model.config.num_graph_heads, len(batch["node_batch"])
    source = torch.cat([batch["edge_index"][0], torch.arange(nodes)])
    for attention in output.node_attentions:
        summed = torch.zeros(heads, nodes).index_add(1, source, attention.view(heads, -1))
        torch.testing.assert_close(summed, torch.ones(heads, nodes))
    quiet = model(**batch)
    assert quiet.attentions is None
    assert quiet.node_attentions is None
    torch.testing.assert_close(quiet.last_hidden_state, output.last_hidden_state)


def test_attentions_of_an_attention_that_has_none_are_refused(tmp_path: Path) -> None:
    DragonModel(config_on(BACKBONES["bert"])).save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path, attn_implementation="sdpa").eval()
    with pytest.raises(ValueError, match="attn_implementation='eager'"):
        model(output_attentions=True, **padded_batch())


def test_both_attentions_compute_the_same(tmp_path: Path) -> None:
    DragonModel(config_on(BACKBONES["roberta"])).save_pretrained(tmp_path)
    eager, sdpa = (AutoModel.from_pretrained(tmp_path, attn_implementation=name).eval() for name in ("eager", "sdpa"))
    assert eager.backbone.config._attn_implementation != sdpa.backbone.config._attn_implementation
    torch.testing.assert_close(eager(**padded_batch()).pooler_output, sdpa(**padded_batch()).pooler_output)


def test_gradient_checkpointing_changes_no_gradient_and_no_statistic(backbone: PreTrainedConfig) -> None:
    def run(checkpointing: bool) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        torch.manual_seed(0)
        model = DragonForSequenceClassification(config_on(backbone, num_labels=3)).train()
        if checkpointing:
            model.gradient_checkpointing_enable()
            assert any(getattr(m, "gradient_checkpointing", False) for m in model.dragon.backbone.modules())
        torch.manual_seed(1)
        model(labels=torch.tensor([0, 2]), **padded_batch()).loss.backward()
        return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}, dict(model.named_buffers())

    for mine, expected in zip(run(True), run(False), strict=True):
        assert mine.keys() == expected.keys()
        for name in expected:
            torch.testing.assert_close(mine[name], expected[name], msg=name)


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ({"num_labels": 3}, torch.tensor([0, 2])),
        ({"num_labels": 1}, torch.tensor([0.5, -1.0])),
        ({"num_labels": 4, "problem_type": "multi_label_classification"}, torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 0]])),
    ],
    ids=["classes", "regression", "several labels"],
)
def test_sequence_classification_learns(options: dict[str, Any], labels: torch.Tensor) -> None:
    torch.manual_seed(0)
    dropouts = {"graph_dropout": 0.0, "entity_dropout": 0.0, "classifier_dropout": 0.0}
    model = DragonForSequenceClassification(config_on(BACKBONES["bert"], **options, **dropouts))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        output = model(labels=labels, **padded_batch())
        losses.append(output.loss.item())
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
    assert output.logits.shape == (2, options["num_labels"])
    assert losses[-1] < losses[0] / 3


def test_auto_classes_find_the_models(tmp_path: Path) -> None:
    DragonForPreTraining(config_on(BACKBONES["bert"], num_labels=3)).save_pretrained(tmp_path)
    assert isinstance(AutoConfig.from_pretrained(tmp_path), DragonConfig)
    for auto, expected in (
        (AutoModelForPreTraining, DragonForPreTraining),
        (AutoModelForMultipleChoice, DragonForMultipleChoice),
        (AutoModelForSequenceClassification, DragonForSequenceClassification),
    ):
        assert type(auto.from_pretrained(tmp_path)) is expected


def test_sixteen_bit_autocast_is_close(backbone: PreTrainedConfig) -> None:
    torch.manual_seed(0)
    model = DragonForMultipleChoice(config_on(backbone)).eval()
    exact = model(num_choices=2, labels=torch.tensor([1]), **padded_batch())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = model(num_choices=2, labels=torch.tensor([1]), **padded_batch())
    rounded.loss.backward()
    assert rounded.logits.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.logits.float(), exact.logits, atol=0.02, rtol=0.02)
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


def test_other_architectures_are_refused() -> None:
    with pytest.raises(ValueError, match="backbone is 'gpt2'; it must be one of bert, roberta, electra, deberta-v2"):
        config_on(AutoConfig.for_model("gpt2"))


def test_a_compiled_model_computes_the_same() -> None:
    model = DragonModel(config_on(BACKBONES["bert"])).eval()
    compiled = torch.compile(model, backend="aot_eager")
    with torch.no_grad():
        for sizes in ([6, 4], [3, 9]):
            batch = random_batch(sizes)
            torch.testing.assert_close(compiled(**batch).pooler_output, model(**batch).pooler_output)
