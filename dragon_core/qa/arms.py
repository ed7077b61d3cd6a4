"""The arms of a comparison: what they are called, what each starts from, and what it reads."""

from collections.abc import Iterable, Sequence
from typing import Literal, cast, get_args

from dragon_core.qa.errors import QuestionError
from dragon_core.training import ModelParams, Pretrain, UntrainedModel, UntrainedModelParams

Arm = Literal["lm", "lm-mlm", "lm-of-dragon", "graph-sentences", "qagnn", "greaselm", "dragon"]

TITLES = {
    "dragon": "DRAGON",
    "greaselm": "GreaseLM-style",
    "qagnn": "QA-GNN-style",
    "graph-sentences": "the language model that reads the graph as sentences",
    "lm-of-dragon": "DRAGON's language model without the graph",
    "lm-mlm": "the language model pretrained on the same text",
    "lm": "the language model alone",
}


def title_of(arm: str) -> str:
    """What people call an arm; its name, if it is none of ours."""
    return TITLES.get(arm, arm)


def arms_of(names: Sequence[str]) -> tuple[Arm, ...]:
    """The arms of some names.

    Raises:
        QuestionError: One is no arm's.
    """
    known = get_args(Arm)
    for name in names:
        if name not in known:
            raise QuestionError(f"There is no arm {name!r}; give some of {', '.join(known)}.")
    return cast(tuple[Arm, ...], tuple(names))


def in_order(arms: Iterable[str]) -> list[str]:
    """The arms as reports list them: those of `TITLES` in its order, then others by name."""
    known = list(TITLES)
    return sorted(arms, key=lambda arm: (known.index(arm) if arm in known else len(known), arm))


def starting_stage(arm: Arm, pretraining: Pretrain) -> UntrainedModel | Pretrain:
    """The stage that makes the model which an arm starts from.

    - `lm`: the language model as it was.
    - `lm-mlm`: the language model after as many steps of masked language modelling on the same texts.
    - `lm-of-dragon`: the pretrained model, of which the language model alone is read.
    - `graph-sentences`: the language model, told the graph as sentences.
    - `qagnn`: a new graph network on top, which the text enters once (Yasunaga et al., NAACL 2021).
    - `greaselm`: the pretrained model's architecture without any pretraining (Zhang et al., ICLR 2022).
    - `dragon`: the pretrained model.

    Args:
        arm: Its name.
        pretraining: The stage that pretrains.

    Raises:
        QuestionError: The language model cannot be pretrained alone as the model was.
    """
    alone: dict[str, object] = {"num_fusion_layers": -1, "graph_as_text": False}
    match arm:
        case "dragon" | "lm-of-dragon":
            return pretraining
        case "lm-mlm":
            if not pretraining.params.mask_share:
                raise QuestionError("The checkpoint was pretrained without masked LM: leave out the arm lm-mlm.")
            if not pretraining.params.encoder_learning_rate:
                raise QuestionError(
                    "The checkpoint's encoder stayed as it was (encoder_learning_rate 0), so that the arm lm-mlm would"
                    " be lm: leave it out."
                )
            params = pretraining.params.model_copy(update=alone)
            return pretraining.model_copy(update={"params": params, "for_comparison": True})
        case "lm":
            return _untrained(pretraining, alone)
        case "graph-sentences":
            return _untrained(pretraining, alone | {"graph_as_text": True})
        case "qagnn":
            return _untrained(pretraining, {"interaction": "once"})
        case "greaselm":
            return _untrained(pretraining, {})


def reads_graph(arm: Arm) -> bool:
    """Whether an arm reads the graph that its model was made for."""
    return arm != "lm-of-dragon"


def _untrained(pretraining: Pretrain, changes: dict[str, object]) -> UntrainedModel:
    fields = {name: getattr(pretraining.params, name) for name in ModelParams.model_fields} | changes
    return UntrainedModel(
        graph=pretraining.graph,
        entity_table=pretraining.entity_table,
        encoder=pretraining.encoder,
        params=UntrainedModelParams(**fields, seed=pretraining.params.seed),
    )
