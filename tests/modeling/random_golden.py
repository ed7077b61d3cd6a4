"""Folders in the form of the golden fixtures, written from the second implementation."""

import json
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st
from safetensors.torch import save_file

from tests.modeling.naive import Naive, Options, Tensors, graph_names, naive_of

LAYERS, POSITIONS, VOCABULARY = 3, 20, 50
BACKBONE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
}

MODEL = {
    "k": st.integers(-1, LAYERS),
    "concept_in_dim": st.sampled_from([8, 12]),
    "concept_dim": st.just(8),
    "n_concept": st.just(30),
    "n_etype": st.sampled_from([3, 7]),
    "n_ntype": st.just(4),
    "n_attention_head": st.sampled_from([1, 2, 4]),
    "fc_dim": st.just(6),
    "n_fc_layer": st.integers(0, 2),
    "ie_dim": st.just(10),
    "ie_layer_num": st.integers(0, 2),
    "info_exchange": st.sampled_from([True, "every-other-layer", False]),
    "sep_ie_layers": st.booleans(),
}
ARGUMENTS = {
    "end_task": st.integers(0, 1),
    "mlm_task": st.integers(0, 1),
    "link_task": st.integers(0, 1),
    "no_node_score": st.booleans(),
    "residual_ie": st.integers(0, 2),
    "link_decoder": st.sampled_from(["DistMult", "TransE", "RotatE"]),
    "link_proj_headtail": st.booleans(),
    "link_normalize_headtail": st.integers(0, 3),
    "scaled_distmult": st.booleans(),
    "link_gamma": st.sampled_from([12.0, 5.0]),
    "link_negative_adversarial_sampling": st.booleans(),
    "link_negative_adversarial_sampling_temperature": st.sampled_from([1.0, 0.5]),
    "link_regularizer_weight": st.sampled_from([0.01, 0.0]),
}


QUESTIONS, CHOICES, TOKENS, SLOTS, NEGATIVES = 2, 2, 9, 6, 4


@st.composite
def golden_options(draw: st.DrawFn) -> Options:
    """All of a fixture's `config.json`."""
    model = draw(st.fixed_dictionaries(MODEL))
    args = draw(st.fixed_dictionaries(ARGUMENTS))
    # Without a graph there is nothing to predict links between.
    args["link_task"] = args["link_task"] if model["k"] >= 0 else 0
    return options_of(draw(st.sampled_from(["roberta", "bert"])), model, args)


def options_of(backbone: str, model: Options, args: Options) -> Options:
    labels = list(range(QUESTIONS))
    return {"backbone": backbone, "backbone_config": BACKBONE, "model": model, "args": args, "labels": labels}


PLAIN = options_of(
    "roberta",
    {
        "k": 2,
        "concept_in_dim": 12,
        "concept_dim": 8,
        "n_concept": 30,
        "n_etype": 3,
        "n_ntype": 4,
        "n_attention_head": 2,
        "fc_dim": 6,
        "n_fc_layer": 0,
        "ie_dim": 10,
        "ie_layer_num": 1,
        "info_exchange": True,
        "sep_ie_layers": False,
    },
    {
        "end_task": 1,
        "mlm_task": 1,
        "link_task": 1,
        "no_node_score": True,
        "residual_ie": 2,
        "link_decoder": "DistMult",
        "scaled_distmult": True,
        "link_proj_headtail": False,
        "link_normalize_headtail": 3,
        "link_gamma": 12.0,
        "link_regularizer_weight": 0.01,
        "link_negative_adversarial_sampling": True,
        "link_negative_adversarial_sampling_temperature": 1.0,
    },
)


def write_golden(
    folder: Path, values: Options, tensors: Tensors | None = None, inputs: Tensors | None = None, seed: int = 0
) -> None:
    """Write a fixture; weights and inputs that are not given are random."""
    torch.manual_seed(seed)
    if tensors is not None:
        token_types = next(len(t) for name, t in tensors.items() if "token_type_embeddings" in name)
        values = values | {"backbone_config": values["backbone_config"] | {"type_vocab_size": token_types}}
    model = naive_of(values)
    if tensors is None:
        for name, parameter in model.named_parameters():
            torch.nn.init.normal_(parameter, mean=float("Norm.weight" in name), std=0.3)
        tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(tensors)
    inputs = random_inputs(values) if inputs is None else inputs
    expected = expected_of(model, values, inputs)
    (folder / "config.json").write_text(json.dumps(values))
    for name, part in (("state_dict", tensors), ("inputs", inputs), ("expected", expected)):
        save_file({key: tensor.contiguous() for key, tensor in part.items()}, folder / f"{name}.safetensors")


def random_inputs(values: Options) -> Tensors:
    shape = (QUESTIONS, CHOICES)
    ids = torch.randint(5, VOCABULARY, (*shape, TOKENS))
    lengths = torch.randint(1, SLOTS + 1, shape)
    lengths[0, 0] = 1
    if values["args"]["link_normalize_headtail"] == 1:
        # The published model divides the zero vectors of empty slots by their length.
        lengths[:] = SLOTS
    real = torch.arange(SLOTS) < lengths[..., None]
    types = torch.where(real, torch.randint(0, 3, (*shape, SLOTS)), 2)
    types[..., 0] = 3
    concepts = torch.where(real, torch.randint(1, values["model"]["n_concept"], (*shape, SLOTS)), 1)
    concepts[..., 0] = 0
    mask = (torch.arange(TOKENS) < torch.randint(3, TOKENS + 1, shape)[..., None]).long()
    labels = torch.where(torch.rand(*shape, TOKENS) < 0.4, ids, -100)
    labels[0, 0, 0] = 7
    inputs = {
        "input_ids": ids,
        "lm_input_ids": torch.where(labels == -100, ids, 4),
        "lm_labels": labels,
        "attention_mask": mask,
        "token_type_ids": torch.randint(0, 2, (*shape, TOKENS)),
        "adj_lengths": lengths,
        "node_type_ids": types,
        "concept_ids": concepts,
        "node_scores": torch.randn(*shape, SLOTS, 1),
    }
    for name in graph_names(inputs):
        question, choice = map(int, name.split("."))
        size = int(lengths[question, choice])
        edges, triples = int(torch.randint(0, 9, ())) * (size > 1), int(torch.randint(0, 4, ())) * (size > 1)
        inputs |= {
            f"edge_index.{name}": torch.randint(0, size, (2, edges)),
            f"edge_type.{name}": torch.randint(0, values["model"]["n_etype"], (edges,)),
            f"pos_triples.{name}": torch.stack(
                [
                    torch.randint(0, size, (triples,)),
                    torch.randint(0, values["model"]["n_etype"], (triples,)),
                    torch.randint(0, size, (triples,)),
                ]
            ),
            f"neg_nodes.{name}": torch.randint(0, size, (triples, NEGATIVES)),
        }
    return inputs


def expected_of(model: Naive, values: Options, inputs: Tensors) -> Tensors:
    model.eval()
    with torch.no_grad():
        expected = {
            f"eval.{name}": tensor.reshape(-1) if not tensor.ndim else tensor for name, tensor in model(inputs).items()
        }
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0
    output: dict[str, Any] = model(inputs)
    output = {name: output[name] for name in output if name.endswith(("loss", "logits"))}
    total = output["mlm_loss"] + output["link_loss"]
    if "logits" in output:
        total = total + torch.nn.functional.cross_entropy(output["logits"], torch.tensor(values["labels"]))
    output["total_loss"] = total
    if total.requires_grad:
        total.backward()
    expected |= {f"train.{name}": tensor.detach() for name, tensor in output.items()}
    expected |= {f"grad.{name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
    return expected | {
        f"train.after.{name}": buffer
        for name, buffer in model.named_buffers()
        if "Norm" in name or "running" in name or "tracked" in name
    }
