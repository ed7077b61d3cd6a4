"""The README of a checkpoint, as the Hub shows one: what it was trained on, how, and what came out."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from dragon_core.artifacts.lineage import Ancestor
from dragon_core.training.history import Numbers

MODEL_CARD_NAME = "README.md"

_USE = """```python
from dragon_core.modeling import DragonForMultipleChoice

model = DragonForMultipleChoice.from_pretrained("FOLDER")       # this folder
model.dragon.load_entities("ENTITY-TABLE/entities.npy")         # the entity table named below
```
"""


def model_card(
    ancestors: Iterable[Ancestor],
    settings: Mapping[str, Any],
    counts: Mapping[str, int],
    results: Mapping[str, Any],
    picture: str,
) -> str:
    """Write the card.

    Args:
        ancestors: What the model is made from, depth first.
        settings: Parameters of the training.
        counts: Steps, segments, parameters.
        results: What `metrics.json` holds.
        picture: Name of the file with the curves, beside the card.
    """
    front = yaml.safe_dump({"library_name": "dragon", "tags": ["dragon", "knowledge-graph", "fill-mask"]})
    inputs = "".join(f"{'  ' * (a.depth - 1)}- {a.role}: `{a.identity}`\n" for a in ancestors)
    numbers = "".join(f"| {name.replace('_', ' ')} | {number:,} |\n" for name, number in counts.items())
    parameters = "".join(f"| {name} | {json.dumps(value)} |\n" for name, value in settings.items())
    return (
        f"---\n{front}---\n\n# DRAGON\n\n"
        "A language model and a graph network that read each other in every fusion layer, pretrained together by\n"
        "masked language modelling and link prediction (Yasunaga et al., NeurIPS 2022).\n\n"
        f"{_USE}\n"
        f"## Data\n\nMade from these artifacts (stage/key) and files:\n\n{inputs}\n| | |\n| --- | ---: |\n{numbers}\n"
        f"## Results on held-out segments\n\n{results_table(results)}\n"
        f"![losses and accuracies by step]({picture})\n\n"
        f"## Settings\n\n| parameter | value |\n| --- | --- |\n{parameters}"
    )


def results_table(results: Mapping[str, Any]) -> str:
    """Metrics before and after training, and of the kept model shown the text alone or the graph alone, in Markdown."""
    columns: list[tuple[str, Numbers]] = [("before", results["before"]), ("after", results["after"])]
    columns += [
        (name.replace("_", " "), results[name]) for name in ("without_text", "without_graph") if name in results
    ]
    names = [name for name in results["after"] if name != "step"]
    rows = "".join(
        f"| {name.replace('_', ' ')} | "
        + " | ".join(f"{numbers[name]:.4g}" if name in numbers else "" for _, numbers in columns)
        + " |\n"
        for name in names
    )
    return (
        f"| | {' | '.join(title for title, _ in columns)} |\n| --- |{' ---: |' * len(columns)}\n{rows}\n"
        f"The model is that of step {int(results['after']['step'])}. Links are ranked among all nodes of their subgraph"
        " that make no true edge.\n"
    )
