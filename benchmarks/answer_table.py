"""The results of `benchmarks.answers` as tables."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dragon_core.qa.arms import in_order, title_of
from dragon_core.qa.metrics import Hits, compare, mean_lead
from dragon_core.qa.report_text import lead_text

RESULTS = Path(__file__).parent / "results/answers.jsonl"
# With an encoder that learned in DRAGON's pretraining, too.
LEARNING_ENCODER_RESULTS = RESULTS.with_name("answers_learning_encoder.jsonl")
# With DRAGON's graph network fine-tuned at the rate of what is new.
GRAPH_RATE_RESULTS = RESULTS.with_name("answers_graph_rate.jsonl")
# With the first token speaking for a text, nodes without a norm, a new masked-LM head at the encoder's rate, and a
# read-out of six numbers.
FIRST_TOKEN_RESULTS = RESULTS.with_name("answers_first_token.jsonl")
SIGNAL = Path(__file__).parent / "results/answer_signal.jsonl"
GROUPS = Path(__file__).parent / "results/answer_groups.jsonl"
TEXT_VECTORS = Path(__file__).parent / "results/text_vectors.jsonl"
SAMPLES = 10_000
SUBJECT = "dragon"
# What makes a row another one's successor.
CELL = ("share", "questions", "answer_edges", "arm", "seed")
# What all cells of an arm start from, and how they are fine-tuned.
COMMON = ("checkpoint", "prepared", "version")

Row = Mapping[str, Any]


def read_rows(path: Path = RESULTS) -> list[dict[str, Any]]:
    """The cells that were measured."""
    return _lines(path)


def read_signal() -> list[dict[str, Any]]:
    """What rules and linear models answered."""
    return [line for line in _lines(SIGNAL) if "name" in line]


def read_groups() -> list[dict[str, Any]]:
    """How often the arms answer questions of each group."""
    return [line for line in _lines(GROUPS) if "group" in line]


def read_text_vectors() -> list[dict[str, Any]]:
    """How far the vectors of texts are apart."""
    return [line for line in _lines(TEXT_VECTORS) if "name" in line]


def text_vectors_table(rows: Iterable[Row]) -> str:
    """The table of `benchmarks.text_vectors` in Markdown: spreads in %, a column a layer."""
    spreads: dict[str, list[str]] = {}
    for row in rows:
        spreads.setdefault(row["name"].rpartition(" after layer ")[0], []).append(f"{100 * row['value']:.1f}")
    count = max(map(len, spreads.values()))
    lines = [
        f"| after layer | {' | '.join(map(str, range(1, count + 1)))} |",
        f"| --- |{' ---: |' * count}",
        *(f"| {name} | {' | '.join(values)} |" for name, values in spreads.items()),
    ]
    return "\n".join(lines) + "\n"


def groups_table(rows: Iterable[Row]) -> str:
    """The tables of `benchmarks.answer_groups` in Markdown, one for each set of questions."""
    by_set: dict[str, list[Row]] = {}
    for row in rows:
        by_set.setdefault(row["set"], []).append(row)
    tables = []
    for name, of_set in by_set.items():
        arms = in_order(of_set[0]["accuracy"])
        lines = [
            f"### {name}",
            "",
            f"| | | questions | {' | '.join(map(title_of, arms))} | {title_of(SUBJECT)}'s lead over {title_of('lm')} |",
            f"| --- | --- | ---: |{' ---: |' * (len(arms) + 1)}",
        ]
        for row in of_set:
            cells = [
                row["way"],
                row["group"],
                str(row["count"]),
                *(f"{100 * row['accuracy'][arm]:.1f}" for arm in arms),
            ]
            lines.append(f"| {' | '.join(cells)} | {lead_text(row['lead'])} |")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def latest_rows(rows: Iterable[Row]) -> list[Row]:
    """The last measurement of each cell, without those made otherwise than the arm's last one."""
    latest, common = {}, {}
    for row in rows:
        *arm, seed = (row[name] for name in CELL)
        latest[*arm, seed] = row
        common[tuple(arm)] = [row[name] for name in COMMON]
    return [row for (*arm, _), row in latest.items() if [row[name] for name in COMMON] == common[tuple(arm)]]


def signal_table(rows: Iterable[Row]) -> str:
    """The table of `benchmarks.answer_signal` in Markdown: test questions answered, in %, and of right choices."""
    by_title: dict[str, dict[str, str]] = {}
    for row in rows:
        name, title = row["name"].split(", ", 1)
        value = f"{100 * row['value']:.1f}"
        if "wrong_choices" in row:
            value += f" (wrong ones: {100 * row['wrong_choices']:.1f})"
        by_title.setdefault(title, {})[name] = value
    names = sorted({name for found in by_title.values() for name in found})
    lines = [f"| | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"]
    lines += [f"| {title} | {' | '.join(found.get(name, '') for name in names)} |" for title, found in by_title.items()]
    return "\n".join(lines) + "\n"


def answers_table(rows: Iterable[Row]) -> str:
    """The tables in Markdown, for each share of the training questions; the last measurement of a cell counts."""
    tables: dict[tuple[float, bool], list[Row]] = {}
    for row in latest_rows(rows):
        tables.setdefault((row["share"], not row["answer_edges"]), []).append(row)
    return "\n".join(_table(*key, of_key) for key, of_key in sorted(tables.items()))


def hits_of(row: Row) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """[questions] which ones were answered correctly."""
    bits = np.frombuffer(bytes.fromhex(row["hits"]), np.uint8)
    return np.unpackbits(bits)[: row["questions_asked"]].astype(bool)


def _lines(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def _table(share: float, without_answer_edges: bool, rows: list[Row]) -> str:
    hits: dict[str, dict[str, Hits]] = {}
    for row in sorted(rows, key=lambda row: row["seed"]):
        hits.setdefault(row["questions"], {}).setdefault(row["arm"], []).append(hits_of(row))  # type: ignore[attr-defined]
    hits = {name: {arm: np.stack(runs) for arm, runs in arms.items()} for name, arms in hits.items()}
    names = sorted(hits)
    without = ", and no edge between question and choice" if without_answer_edges else ""
    lines = [
        f"### With {share:.0%} of the training questions{without}",
        "",
        f"| | {' | '.join(names)} |",
        f"| --- |{' ---: |' * len(names)}",
    ]
    for arm in in_order({arm for of_set in hits.values() for arm in of_set}):
        lines.append(f"| {title_of(arm)} | {' | '.join(_accuracy(hits[name].get(arm)) for name in names)} |")
    leads = [line for line in _leads(hits, names) if line]
    if leads:
        lines += [
            "",
            f"| DRAGON's lead in points (95% interval) over | {' | '.join(names)} | mean of the sets |",
            f"| --- |{' ---: |' * (len(names) + 1)}",
            *leads,
        ]
    return "\n".join(lines) + "\n"


def _leads(hits: dict[str, dict[str, Hits]], names: list[str]) -> Iterable[str]:
    """A line for each arm that was measured beside the subject."""
    compared = {
        name: compare(hits[name], SUBJECT, SAMPLES, 0)["leads"] if SUBJECT in hits[name] else {} for name in names
    }
    for arm in in_order({arm for leads in compared.values() for arm in leads}):
        leads = [compared[name].get(arm) for name in names]
        cells = ["" if lead is None else lead_text(lead) for lead in leads]
        mean = ""
        if all(arm in compared[name] for name in names):
            mean = lead_text(mean_lead([(hits[name][SUBJECT], hits[name][arm]) for name in names], SAMPLES, 0))
        yield f"| {title_of(arm)} | {' | '.join(cells)} | {mean} |"


def _accuracy(runs: Hits | None) -> str:
    if runs is None:
        return ""
    of_runs = 100 * runs.mean(axis=1)
    spread = f" ± {of_runs.std(ddof=1):.1f}" if len(of_runs) > 1 else ""
    return f"{of_runs.mean():.1f}{spread} ({len(of_runs)})"
