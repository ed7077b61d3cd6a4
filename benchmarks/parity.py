"""Whether the model is numerically the published one: `python -m benchmarks.parity FOLDER...`.

Each folder holds one instance of the published model in the form of the golden fixtures: `config.json`,
`state_dict.safetensors`, `inputs.safetensors` and `expected.safetensors` (outputs in evaluation mode; outputs,
gradients and batch-norm buffers of a training step without dropout). One JSON line a folder gives the largest
difference of every expected tensor, in units of max(1, its largest magnitude). The exit status is 1 if one is past its
tolerance, 1e-5 in evaluation mode and 1e-4 else.
"""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.golden import Golden, Tensors, batch_of, models_of, read_golden
from dragon_core.devices import best_device
from dragon_core.modeling.modeling_dragon import DragonForPreTraining
from dragon_core.modeling.outputs import DragonForPreTrainingOutput
from dragon_core.modeling.published import our_name

EVAL_TOLERANCE = 1e-5
TRAIN_TOLERANCE = 1e-4


def differences(folder: Path) -> dict[str, float]:
    """The largest difference of each expected tensor; infinite where we have no tensor of that shape.

    It is computed on the GPU if there is one.
    """
    golden = read_golden(folder)
    with best_device():
        ours = _evaluated(golden) | _trained(golden)
    expected = dict(golden.expected)
    if not golden.config.has_graph:
        # The published model has node outputs even without a graph: of a zero vector.
        expected = {name: tensor for name, tensor in expected.items() if not name.endswith("node_hidden")}
    return {name: _difference(ours.get(name), tensor) for name, tensor in expected.items()}


def tolerance(name: str) -> float:
    """What the difference of a tensor may be."""
    return EVAL_TOLERANCE if name.startswith("eval.") else TRAIN_TOLERANCE


def _evaluated(golden: Golden) -> Tensors:
    pretraining, choice = (model.eval() for model in models_of(golden))
    batch, kept = batch_of(golden, padding=False)
    with torch.no_grad():
        output, ours = _losses(golden, pretraining, batch)
        if golden.has_answers:
            ours["logits"] = choice(num_choices=golden.num_choices, **batch).logits
    ours |= {"text_hidden": output.model.last_hidden_state, "pooled": output.model.pooler_output}
    if golden.config.has_graph:
        # Slots without a node, which have no counterpart here, are taken from what is expected.
        slots = golden.expected["eval.node_hidden"].flatten(0, -2).clone()
        slots[kept] = output.model.node_hidden_state
        ours["node_hidden"] = slots
    return {f"eval.{name}": tensor for name, tensor in ours.items()}


def _trained(golden: Golden) -> Tensors:
    models = models_of(golden)
    for model in models:
        _train_without_dropout(model)
    # Slots without a node count in the published model's batch statistics.
    batch, _ = batch_of(golden, padding=True)
    pretraining, choice = models
    output, ours = _losses(golden, pretraining, batch)
    total = output.loss * len(golden.labels)
    if golden.has_answers:
        answer = choice(num_choices=golden.num_choices, labels=golden.labels, **batch)
        ours["logits"] = answer.logits
        total = total + answer.loss
    ours["total_loss"] = total
    if total.requires_grad:
        total.backward()
    ours = {f"train.{name}": tensor.detach() for name, tensor in ours.items()}
    buffers = dict(pretraining.named_buffers())
    for name in golden.expected:
        kind, _, published = name.rpartition("lmgnn.")
        if kind == "grad.":
            ours[name] = _gradient(models, our_name(published), golden.expected[name])
        elif kind and our_name(published) in buffers:
            ours[name] = buffers[str(our_name(published))]
    return ours


def _losses(
    golden: Golden, model: DragonForPreTraining, batch: dict[str, torch.Tensor]
) -> tuple[DragonForPreTrainingOutput, Tensors]:
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
    return output, {name: zero if loss is None else loss * len(golden.labels) for name, loss in losses.items()}


def _train_without_dropout(model: torch.nn.Module) -> None:
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0


def _gradient(models: Sequence[torch.nn.Module], name: str | None, expected: torch.Tensor) -> torch.Tensor:
    """Gradient of a parameter; what both models hold got its share in each, and what neither reads has none."""
    found = [dict(model.named_parameters()).get(str(name)) for model in models]
    gradients = [parameter.grad for parameter in found if parameter is not None and parameter.grad is not None]
    return torch.stack(gradients).sum(0) if gradients else torch.zeros_like(expected)


def _difference(ours: torch.Tensor | None, expected: torch.Tensor) -> float:
    if ours is None or ours.numel() != expected.numel():
        return math.inf
    if not expected.numel():
        return 0.0
    scale = max(1.0, expected.abs().max().item())
    return float((ours.reshape(expected.shape) - expected).abs().max()) / scale


def _report(folder: Path) -> dict[str, Any]:
    try:
        found = differences(folder)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        return {"folder": str(folder), "passed": False, "error": f"{type(error).__name__}: {error}"}
    failed = [name for name, value in found.items() if not value <= tolerance(name)]
    # JSON has no NaN and no infinity.
    written = {name: value if math.isfinite(value) else str(value) for name, value in found.items()}
    return {"folder": str(folder), "passed": not failed, "failed": failed, "differences": written}


def main(arguments: Sequence[str]) -> int:
    """Print one line a folder; the exit status is 1 unless all passed, 2 if there is none."""
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    passed = True
    for argument in arguments:
        report = _report(Path(argument))
        passed = passed and report["passed"]
        print(json.dumps(report, allow_nan=False), flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
