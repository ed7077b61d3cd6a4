"""The processes that train one model together, and what accelerate and torch do in each of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from accelerate.tracking import get_available_trackers
from accelerate.utils import ProjectConfiguration
from torch import distributed
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor

from dragon_core.modeling.modeling_dragon import DragonForPreTraining
from dragon_core.training.errors import TrainingError
from dragon_core.training.parameters import Execution, TrainingParams

# Whole tensors on the CPU of the first process, whatever the strategy: a checkpoint fits any number of processes.
_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
_FIRST_IS_DONE = "dragon/first-is-done"
_PRECISIONS = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}


def new_accelerator(params: TrainingParams, execution: Execution, run_name: str) -> Accelerator:
    """What places tensors, scales losses and syncs gradients; its environment says how many processes there are.

    Raises:
        TrainingError: There is no GPU for float16, or a tracker is not installed.
    """
    has_gpu = torch.cuda.is_available()
    if params.precision == "float16" and not has_gpu:
        raise TrainingError("precision float16 needs a GPU, and there is none; choose float32 or bfloat16.")
    if params.precision == "float16" and execution.strategy == "fsdp":
        raise TrainingError("precision float16 goes with the strategy ddp only; choose bfloat16.")
    missing = {*execution.trackers} - {str(tracker) for tracker in get_available_trackers()}
    if missing:
        raise TrainingError(
            f"The tracker {', '.join(sorted(missing))} is not installed; run: make .venv/installed-tracking, or choose"
            " none."
        )
    # accelerate keeps the precision for the process; another run in it may have had another.
    AcceleratorState._reset_state()
    return Accelerator(
        cpu=not has_gpu,
        mixed_precision=_PRECISIONS[params.precision],
        log_with=list(execution.trackers) or None,
        project_config=ProjectConfiguration(logging_dir=str(Path(execution.tracking_folder) / run_name)),
        # An objective without a target, and the pooler, use no parameter; statistics are the same in all processes.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)],
    )


def placed(model: DragonForPreTraining, accelerator: Accelerator, execution: Execution) -> torch.nn.Module:
    """The model on its device, in parts or whole, compiled if it is to be."""
    if execution.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[no-untyped-call]
    if accelerator.num_processes > 1 and execution.strategy == "fsdp":
        # accelerate's own plugin is for GPUs only; this is what it does on them.
        whole: torch.nn.Module = model.to(accelerator.device)
        for layer in model.dragon.backbone.encoder.layer:
            fully_shard(layer)
        fully_shard(whole)
    else:
        whole = accelerator.prepare_model(model)
    return torch.compile(whole, dynamic=True) if execution.compile else whole  # type: ignore[return-value]


@contextmanager
def gradients_kept_apart(model: torch.nn.Module, accelerator: Accelerator) -> Iterator[None]:
    """Within it, processes do not share the gradients of backward passes; the next pass outside shares the sum."""
    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(False)
        yield
        model.set_requires_gradient_sync(True)
    else:
        with accelerator.no_sync(model):
            yield


def summed_over_processes(accelerator: Accelerator, numbers: torch.Tensor) -> torch.Tensor:
    """The sum of a tensor over all processes."""
    total: torch.Tensor = accelerator.reduce(numbers.to(accelerator.device), reduction="sum")
    return total


def whole(norm: torch.Tensor) -> torch.Tensor:
    """A gradient's length as a plain tensor, where each process may have a part of it."""
    return norm.full_tensor() if isinstance(norm, DTensor) else norm


def gathered(accelerator: Accelerator, values: Sequence[int]) -> list[int]:
    """The values of all processes."""
    if accelerator.num_processes == 1:
        return list(values)
    parts: list[list[int]] = [[] for _ in range(accelerator.num_processes)]
    distributed.all_gather_object(parts, list(values))
    return [value for part in parts for value in part]


def leave_together(accelerator: Accelerator) -> None:
    """Let no process leave the group before the first has all that it waits for.

    A process that leaves closes its connections, and what another one has not read of them by then can be lost.
    """
    if accelerator.num_processes > 1:
        store = distributed.distributed_c10d._get_default_store()
        if accelerator.is_main_process:
            store.set(_FIRST_IS_DONE, "")
        else:
            store.wait([_FIRST_IS_DONE])
    accelerator.end_training()


def batch_statistics(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Copies of the running statistics of batch normalisation, which every forward pass in training changes."""
    return {
        name: buffer.clone()
        for name, buffer in model.named_buffers()
        if name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    }


@torch.no_grad()
def restore_batch_statistics(model: torch.nn.Module, statistics: dict[str, torch.Tensor]) -> None:
    """Set what `batch_statistics` gave."""
    buffers = dict(model.named_buffers())
    for name, value in statistics.items():
        buffers[name].copy_(value)


def model_state(model: torch.nn.Module) -> dict[str, Any]:
    """The weights, whole; all processes must ask for them, and the first gets them."""
    return get_model_state_dict(model, options=_WHOLE)


def load_model_state(model: torch.nn.Module, state: dict[str, Any]) -> None:
    """Load what `model_state` gave."""
    set_model_state_dict(model, state, options=_WHOLE)


def optimizer_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The optimizer's state, by the names of the parameters; all processes must ask for it."""
    return get_optimizer_state_dict(model, optimizer, options=_WHOLE)


def load_optimizer_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load what `optimizer_state` gave."""
    options = StateDictOptions(full_state_dict=True, cpu_offload=True, strict=False)
    set_optimizer_state_dict(model, optimizer, state, options=options)
    # torch gives a state to parameters that never had a gradient.
    known = set(state["state"])
    for name, parameter in model.named_parameters():
        if name.removeprefix("_orig_mod.").removeprefix("module.") not in known:
            optimizer.state.pop(parameter, None)
