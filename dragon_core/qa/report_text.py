"""An evaluation in words and tables."""

import json
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from dragon_core.qa.arms import in_order, title_of

Metrics = Mapping[str, Any]


def summary_text(metrics: Metrics) -> str:
    """The result in Markdown: how accurate the arms are, and whether the subject is better than the others."""
    if not metrics["questions"]:
        return f"## {metrics['title']}\n\n{verdict(metrics)}\n\n"
    subject, leads = metrics["subject"], metrics["leads"]
    rows = [
        [
            title_of(arm),
            _share(fmean(run["dev_accuracy"] for run in metrics["runs"][arm])),
            _with_interval(measured),
            "" if measured["deviation"] is None else f"{100 * measured['deviation']:.1f}",
            *([lead_text(leads[arm]), _p_value(leads[arm])] if arm in leads else ["", ""]),
        ]
        for arm in in_order(metrics["arms"])
        for measured in [metrics["arms"][arm]]
    ]
    rows.append(["chance", "", _share(metrics["chance"]), "", "", ""])
    columns = ["", "dev", "test (95% interval)", "deviation of seeds"]
    units, tests = "Accuracies in %", ""
    if leads:
        columns += [f"{title_of(subject)}'s lead (95% interval)", "p"]
        units, tests = "Accuracies in %, leads in points", f" p: {_tests(leads.values())}"
    table = _table(columns, [row[: len(columns)] for row in rows])
    unknown = metrics["unscored_questions"]
    left_out = f" {unknown} more are left out, since their right answers are not known." if unknown else ""
    about = f"{metrics['about']}\n\n" if metrics["about"] else ""
    return (
        f"## {metrics['title']}\n\n{table}\n\n{verdict(metrics)}\n\n"
        f"{units}, on {metrics['questions']} test questions.{left_out}{tests}\n\n{about}"
    )


def verdict(metrics: Metrics) -> str:
    """In a sentence or a few: than which arms is the subject better, and than which worse?"""
    if not metrics["questions"]:
        return (
            f"Nothing is scored: of the {metrics['unscored_questions']} test questions no right answer is known. What"
            " each run answers lies in its artifact, and beside it what the leaderboard takes, where that is known."
        )
    leads, subject = metrics["leads"], title_of(metrics["subject"])
    if not leads:
        return "There is no other arm to compare it with."
    arms = in_order(leads)
    better = [arm for arm in arms if leads[arm]["low"] > 0]
    worse = [arm for arm in arms if leads[arm]["high"] < 0]
    open_ = [arm for arm in arms if arm not in better + worse]
    sentences = []
    if better:
        sentences.append(f"{subject} is better than {_listed(better)}: {_intervals(better)} above 0.")
    if worse:
        sentences.append(f"{subject} is worse than {_listed(worse)}: {_intervals(worse)} below 0.")
    if open_:
        holds = "the interval holds 0" if len(open_) == 1 else "the intervals hold 0"
        sentences.append(f"These questions do not show that {subject} differs from {_listed(open_)}: {holds}.")
    return " ".join(sentences)


def groups_text(metrics: Metrics) -> str:
    """The accuracies in groups of questions, in Markdown: a table for each way of grouping."""
    arms = in_order(metrics["arms"])
    tables = []
    for way in metrics["groups"]:
        rows = [
            [group["title"], str(group["questions"]), *(_share(group["arms"][arm]["accuracy"]) for arm in arms)]
            for group in way["groups"]
        ]
        tables.append(_table([way["title"], "questions", *map(title_of, arms)], rows))
    return "\n\n".join(tables)


def runs_text(metrics: Metrics) -> str:
    """What was compared, in Markdown: the questions, the run of each arm and seed, and how they were fine-tuned."""
    arms = in_order(metrics["runs"])
    same_inputs = _shared([run["inputs"] for arm in arms for run in metrics["runs"][arm]])
    rows = [
        [
            title_of(arm),
            str(run["seed"]),
            _share(run["dev_accuracy"]),
            "" if run["test_accuracy"] is None else _share(run["test_accuracy"]),
            f"{run['cut_texts']:,}",
            f"`{run['reference']}`",
            _inputs({role: name for role, name in run["inputs"].items() if role not in same_inputs}),
        ]
        for arm in arms
        for run in metrics["runs"][arm]
    ]
    settings = metrics["settings"]
    same = _shared([settings[arm] for arm in arms])
    own = {arm: {name: value for name, value in settings[arm].items() if name not in same} for arm in arms}
    lines = [f"- all: {_listing(same)}", *(f"- {title_of(arm)}: {_listing(own[arm])}" for arm in arms if own[arm])]
    return (
        f"The questions: `{metrics['prepared_questions']}`.\n\n"
        f"{_table(['', 'seed', 'dev', 'test', 'texts cut', 'run', 'made from'], rows)}\n\n"
        f"What all were made from: {_inputs(same_inputs)}.\n\nHow they were fine-tuned:\n\n" + "\n".join(lines)
    )


def lead_text(lead: Metrics) -> str:
    """A lead by `metrics.compare` in points, with its interval in brackets; -0.0 is below 0, if not by much."""
    # What is 0 but for rounding is made so, and 0 is added since 0 may be -0.0.
    difference, low, high = (f"{round(100 * lead[name], 6) + 0:+.1f}" for name in ("difference", "low", "high"))
    return f"{difference} ({low} to {high})"


def _shared(all_values: Sequence[Metrics]) -> dict[str, Any]:
    first, *others = all_values
    return {name: value for name, value in first.items() if all(name in of and of[name] == value for of in others)}


def _inputs(inputs: Metrics) -> str:
    return ", ".join(f"{role} `{name}`" for role, name in inputs.items())


def _listing(settings: Metrics) -> str:
    return ", ".join(f"`{name}: {json.dumps(value)}`" for name, value in settings.items())


def _tests(leads: Iterable[Metrics]) -> str:
    names = {"McNemar": "exact test of McNemar", "bootstrap": "bootstrap over questions and seeds"}
    tests = sorted({lead["test"] for lead in leads})
    return "; ".join(names[test] for test in tests) + "; two-sided."


def _listed(arms: Sequence[str]) -> str:
    titles = [title_of(arm) for arm in arms]
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} and {titles[-1]}"


def _intervals(arms: Sequence[str]) -> str:
    return "the interval of the difference lies" if len(arms) == 1 else "the intervals of the differences lie"


def _share(value: float) -> str:
    return f"{100 * value:.1f}"


def _with_interval(measured: Metrics) -> str:
    return f"{_share(measured['accuracy'])} ({_share(measured['low'])} to {_share(measured['high'])})"


def _p_value(lead: Metrics) -> str:
    return f"{lead['p_value']:.3f}" if lead["p_value"] >= 0.001 else "< 0.001"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
