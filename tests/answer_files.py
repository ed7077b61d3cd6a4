"""The data that question answering is measured on, made small: files of the same names and formats."""

import gzip
import json
from itertools import product
from pathlib import Path
from typing import Any

ANIMALS = ("dog", "cat", "horse", "sheep", "goat", "hen")
PLACES = ("barn", "house", "field", "wood", "stable")


def write_shared_data(folder: Path) -> None:
    """Write both graphs, the texts, and both sets of questions."""
    pairs = list(product(ANIMALS, PLACES))
    triples = [f"AtLocation\t{animal}\t{place}\n" for animal, place in pairs]
    files: dict[str, str] = {
        "conceptnet-82k/train.txt": "".join(triples[::2]),
        "conceptnet-82k/valid.txt": triples[1],
        "wikitext2/valid.txt": "".join(f" The {animal} ran from the {place} .\n" for animal, place in pairs),
        "wikitext2/test.txt": " = Animals = \n",
        "obqa/openbook.txt": "".join(f'"a {animal} lives in a {place}"\n' for animal, place in pairs),
        "csqa/inhouse_split_qids.txt": "".join(f"train-{number}\n" for number in range(8)),
    }
    questions = {
        "csqa": (5, {"train": "train_rand_split", "dev": "dev_rand_split", "test": "test_rand_split_no_answers"}),
        "obqa": (4, {split: split for split in ("train", "dev", "test")}),
    }
    for name, (num_choices, splits) in questions.items():
        for split, file in splits.items():
            items = [_item(f"{split}-{number}", number, num_choices) for number in range(12)]
            files[f"{name}/{file}.jsonl"] = "".join(f"{json.dumps(item)}\n" for item in items)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "conceptnet4").mkdir()
    assertions = "".join(f"{animal}\tpet\t{{'freq': 5, 'score': 2, 'rel': u'IsA'}}\n" for animal in ANIMALS)
    (folder / "conceptnet4/conceptnet_en.graph.gz").write_bytes(gzip.compress(assertions.encode()))


def _item(name: str, number: int, num_choices: int) -> dict[str, Any]:
    labels = "ABCDE"[:num_choices]
    choices = [{"label": label, "text": place} for label, place in zip(labels, PLACES, strict=False)]
    verb = "does not" if number % 3 == 0 else "does"
    stem = f"Where {verb} {ANIMALS[number % len(ANIMALS)]} number {number} of {name} live?"
    return {"id": name, "question": {"stem": stem, "choices": choices}, "answerKey": labels[number % num_choices]}
