"""The model is numerically the published one: outputs, gradients and batch-norm statistics of the golden fixtures."""

from pathlib import Path

import pytest
import torch

from dragon_core.modeling.modeling_dragon import DragonForPreTraining
from dragon_core.modeling.outputs import DragonForPreTrainingOutput
from dragon_core.modeling.published import our_name
from tests.modeling.golden import FOLDER, FOLDERS, Golden, batch_of, models_of, read_golden

if not FOLDERS:
    pytest.skip(f"no golden fixtures in {FOLDER}; set DRAGON_GOLDEN", allow_module_level=True)

EVAL_TOLERANCE = 1e-5
TRAIN_TOLERANCE = 1e-4


def difference(ours: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference, in units of max(1, largest magnitude of the expected tensor)."""
    assert ours.numel() == expected.numel()
    scale = max(1.0, expected.abs().max().item())
    return (ours.reshape(expected.shape) - expected).abs().max().item() / scale


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_outputs_in_eval_mode(folder: Path) -> None:
    golden = read_golden(folder)
    pretraining, choice = (model.eval() for model in models_of(golden))
    batch, kept = batch_of(golden, padding=False)
    with torch.no_grad():
        output, ours = losses_of(golden, pretraining, batch)
        logits = choice(num_choices=golden.num_choices, **batch).logits
    ours |= {"text_hidden": output.model.last_hidden_state, "pooled": output.model.pooler_output, "logits": logits}
    expected = {name.removeprefix("eval."): t for name, t in golden.expected.items() if name.startswith("eval.")}
    # Padding slots have no counterpart here, and the LM alone has no nodes.
    expected_nodes = expected.pop("node_hidden").flatten(0, 1)[kept]
    if golden.config.has_graph:
        expected["node_hidden"], ours["node_hidden"] = expected_nodes, output.model.node_hidden_state
    differences = {name: difference(ours[name], value) for name, value in expected.items()}
    assert max(differences.values()) <= EVAL_TOLERANCE, differences


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_outputs_gradients_and_statistics_of_a_training_step(folder: Path) -> None:
    golden = read_golden(folder)
    models = models_of(golden)
    for model in models:
        switch_to_training_without_dropout(model)
    batch, _ = batch_of(golden, padding=True)
    pretraining, choice = models
    output, ours = losses_of(golden, pretraining, batch)
    answer = choice(num_choices=golden.num_choices, labels=golden.labels, **batch)
    ours["logits"] = answer.logits
    ours["total_loss"] = answer.loss + output.loss * len(golden.labels)
    ours["total_loss"].backward()
    ours = {f"train.{name}": value for name, value in ours.items()}
    after = {f"train.after.{name}": buffer for model in models for name, buffer in model.named_buffers()}
    differences = {}
    for name, value in golden.expected.items():
        kind, _, published = name.rpartition("lmgnn.")
        if not name.startswith("eval."):
            ours_name = f"{kind}{our_name(published)}" if kind else name
            found = gradient(models, our_name(published)) if kind == "grad." else (ours | after)[ours_name]
            differences[name] = difference(found, value)
    wrong = {name: value for name, value in differences.items() if not value <= TRAIN_TOLERANCE}
    assert not wrong, wrong


def losses_of(
    golden: Golden, model: DragonForPreTraining, batch: dict[str, torch.Tensor]
) -> tuple[DragonForPreTrainingOutput, dict[str, torch.Tensor]]:
    """The output, and the losses the fixture names, times the number of questions; an objective left out is 0."""
    labels = golden.inputs["lm_labels"].flatten(0, 1) if golden.has_mlm else None
    output = model(labels=labels, **golden.links(), **batch)
    losses = {
        "mlm_loss": output.mlm_loss,
        "link_loss": output.link_loss,
        "link_pos_loss": output.link_positive_loss,
        "link_neg_loss": output.link_negative_loss,
    }
    zero = torch.zeros(1)
    return output, {k: zero if v is None else v * len(golden.labels) for k, v in losses.items()}


def switch_to_training_without_dropout(model: torch.nn.Module) -> None:
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0


def gradient(models: tuple[torch.nn.Module, ...], name: str | None) -> torch.Tensor:
    """Gradient of a parameter; what both models hold got its share in each."""
    assert name is not None
    parameters = [dict(model.named_parameters()).get(name) for model in models]
    return torch.stack([p.grad for p in parameters if p is not None and p.grad is not None]).sum(0)
