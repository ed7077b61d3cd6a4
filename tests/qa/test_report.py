"""The report on answers that are given, so that what it must say is known."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dragon_core.artifacts import Artifact, ArtifactReference, ArtifactStore, make
from dragon_core.artifacts.lineage import lineage
from dragon_core.qa import ComparisonParams, QuestionError, Report
from dragon_core.qa.metrics import mean_lead
from dragon_core.qa.runs import read_hits
from tests.qa.evaluations import ANSWER, LINKED, NO_GRAPH, Evaluated, choices, graph

COUNT = 60
RIGHT, WRONG = 0, 1
DIRECT = graph({1: LINKED, 2: ANSWER}, [(1, 2)])
GOOD = [RIGHT] * 50 + [WRONG] * 10
BAD = [RIGHT] * 30 + [WRONG] * 30


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    rows = [
        row
        for n in range(COUNT)
        for row in choices(
            f"q{n}", "is it not so" if n % 4 == 0 else "is it so", 0, (DIRECT if n < 30 else NO_GRAPH, NO_GRAPH)
        )
    ]
    return Evaluated.of(ArtifactStore(str(tmp_path_factory.mktemp("store"))), rows)


def report(evaluated: Evaluated, arms: dict[str, tuple[ArtifactReference, ...]], **params: Any) -> Artifact:
    comparison = ComparisonParams(bootstrap_samples=1000, **params)
    return make(Report(questions=evaluated.questions.reference, arms=arms, params=comparison), evaluated.store)


def metrics_of(artifact: Artifact) -> dict[str, Any]:
    return json.loads(artifact.path("metrics.json").read_text(encoding="utf-8"))


def text_of(artifact: Artifact, name: str = "report.md") -> str:
    return artifact.path(name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("subject", "other", "expected"),
    [
        (GOOD, BAD, "DRAGON is better than the language model alone: the interval of the difference lies above 0."),
        (BAD, GOOD, "DRAGON is worse than the language model alone: the interval of the difference lies below 0."),
        (GOOD, GOOD[::-1], "do not show that DRAGON differs from the language model alone: the interval holds 0."),
    ],
)
def test_the_verdict_goes_by_the_interval(
    evaluated: Evaluated, subject: list[int], other: list[int], expected: str
) -> None:
    made = report(evaluated, {"dragon": (evaluated.run(subject),), "lm": (evaluated.run(other),)})
    assert expected in text_of(made)
    lead = metrics_of(made)["leads"]["lm"]
    assert lead["difference"] == pytest.approx((sum(other) - sum(subject)) / COUNT)
    assert lead["low"] <= lead["difference"] <= lead["high"]
    assert lead["test"] == "McNemar"
    assert (lead["p_value"] < 0.05) == (sorted(subject) != sorted(other))


def test_one_verdict_is_passed_on_all_arms(evaluated: Evaluated) -> None:
    arms = {
        "mine": (evaluated.run(GOOD),),
        "lm": (evaluated.run(BAD),),
        "qagnn": (evaluated.run([*BAD[:-1], RIGHT]),),
        "greaselm": (evaluated.run(GOOD[::-1]),),
        "oracle": (evaluated.run([RIGHT] * COUNT),),
    }
    made = report(evaluated, arms, subject="mine")
    assert (
        "mine is better than QA-GNN-style and the language model alone: the intervals of the differences lie above 0."
        " mine is worse than oracle: the interval of the difference lies below 0. These questions do not show that"
        " mine differs from GreaseLM-style: the interval holds 0." in text_of(made)
    )
    assert set(metrics_of(made)["leads"]) == {"lm", "qagnn", "greaselm", "oracle"}


def test_seeds_are_averaged_and_listed(evaluated: Evaluated) -> None:
    dragon = tuple(
        evaluated.run([RIGHT] * right + [WRONG] * (COUNT - right), seed=seed, dev_accuracies=[0.1, dev])
        for seed, right, dev in ((3, 45, 0.5), (4, 48, 0.6), (5, 51, 0.7))
    )
    lm = tuple(evaluated.run(BAD, seed=seed) for seed in (3, 4))
    made = report(evaluated, {"dragon": dragon, "lm": lm}, title="Keys and doors", about="They were made up.")
    metrics = metrics_of(made)
    measured = metrics["arms"]["dragon"]
    assert measured["accuracy"] == pytest.approx(0.8)
    assert measured["runs"] == pytest.approx([0.75, 0.8, 0.85])
    assert measured["deviation"] == pytest.approx(0.05)
    assert [run["dev_accuracy"] for run in metrics["runs"]["dragon"]] == [0.5, 0.6, 0.7]
    assert metrics["leads"]["lm"]["test"] == "bootstrap"
    assert metrics["leads"]["lm"]["difference"] == pytest.approx(0.3)
    assert metrics["leads"]["lm"]["low"] > 0
    assert metrics["leads"]["lm"]["p_value"] < 0.05
    text = text_of(made)
    assert "## Keys and doors" in text
    assert "They were made up." in text
    assert "bootstrap over questions and seeds" in text
    answers = [evaluated.store.get(run).manifest.origin("answers") for run in (*dragon, *lm)]
    for reference in (*dragon, *lm, *answers, evaluated.questions.reference):
        assert str(reference) in text
    assert "| DRAGON | 4 | 60.0 | 80.0 |" in text
    assert "| DRAGON | 60.0 | 80.0 (" in text
    rows = pq.read_table(made.path("predictions.parquet")).to_pylist()
    assert [(row["arm"], row["seed"]) for row in rows[::COUNT]] == [
        ("dragon", 3),
        ("dragon", 4),
        ("dragon", 5),
        ("lm", 3),
        ("lm", 4),
    ]
    assert [row["predicted"] for row in rows[-COUNT:]] == BAD
    assert made.manifest.counts == {"questions": COUNT, "arms": 2, "runs": 5, "rejects": 0}
    roles = [ancestor.role for ancestor in lineage(evaluated.store, made)]
    assert {"questions", "arms.dragon.0", "arms.dragon.2", "arms.lm.1"} <= set(roles)


def test_what_was_answered_correctly_is_read_back_for_a_mean_over_data_sets(evaluated: Evaluated) -> None:
    lm = tuple(evaluated.run(answers, seed=seed) for seed, answers in enumerate((BAD, GOOD)))
    hits = read_hits(report(evaluated, {"dragon": (evaluated.run(GOOD),), "lm": lm}))
    assert list(hits) == ["dragon", "lm"]
    assert hits["dragon"].tolist() == [[answer == RIGHT for answer in GOOD]]
    assert hits["lm"].tolist() == [[answer == RIGHT for answer in answers] for answers in (BAD, GOOD)]
    assert mean_lead([(hits["dragon"], hits["lm"])] * 2, 1000, 0)["difference"] == pytest.approx(10 / COUNT)


def test_settings_are_told_once_if_equal_and_by_arm_if_not(evaluated: Evaluated) -> None:
    text = text_of(report(evaluated, {"dragon": (evaluated.run(GOOD),), "lm": (evaluated.run(BAD, epochs=9),)}))
    shared, of_dragon, of_lm = (line for line in text.splitlines() if line.startswith("- "))
    assert "`batch_size: 8`" in shared
    assert "epochs" not in shared
    assert "`epochs: 3`" in of_dragon
    assert "`epochs: 9`" in of_lm
    assert "batch_size" not in of_dragon + of_lm


def test_accuracies_in_groups_of_questions(evaluated: Evaluated) -> None:
    made = report(evaluated, {"dragon": (evaluated.run([RIGHT] * COUNT),), "lm": (evaluated.run(BAD),)})
    ways = {way["title"]: {group["title"]: group for group in way["groups"]} for way in metrics_of(made)["groups"]}
    edges = ways["edge between question and answer"]
    assert edges["yes"]["questions"] == edges["no"]["questions"] == 30
    assert (edges["yes"]["arms"]["lm"]["accuracy"], edges["no"]["arms"]["lm"]["accuracy"]) == (1, 0)
    assert (edges["yes"]["leads"]["lm"]["difference"], edges["no"]["leads"]["lm"]["difference"]) == (0, 1)
    assert {title: group["questions"] for title, group in ways["negation"].items()} == {"with": 15, "without": 45}
    assert "| edge between question and answer | questions | DRAGON | the language model alone |" in text_of(made)
    assert "| yes | 30 | 100.0 | 100.0 |" in text_of(made)


def test_figures_are_pictures_and_the_summary_needs_no_other_file(evaluated: Evaluated) -> None:
    made = report(evaluated, {"dragon": (evaluated.run(GOOD),), "lm": (evaluated.run(BAD),)})
    for name in ("accuracy.png", "groups.png"):
        assert made.path(name).read_bytes().startswith(b"\x89PNG")
        assert f"]({name})" in text_of(made)
    summary = text_of(made, "summary.md")
    assert summary.count("](data:image/png;base64,") == 2
    parts = ("DRAGON is better", "| edge between question and answer |", "### What was compared")
    assert all(part in summary for part in parts)
    assert ".png)" not in summary


def test_the_order_of_the_arms_changes_nothing(tmp_path: Path) -> None:
    made = []
    for number, order in enumerate((("dragon", "lm", "other"), ("other", "lm", "dragon"))):
        one = Evaluated.of(
            ArtifactStore(str(tmp_path / str(number))), [row for n in range(COUNT) for row in choices(f"q{n}")]
        )
        runs = {"dragon": one.run(GOOD), "lm": one.run(BAD), "other": one.run(GOOD[::-1])}
        made.append(report(one, {arm: (runs[arm],) for arm in order}))
    assert made[0].manifest.digest == made[1].manifest.digest
    assert made[0].reference == made[1].reference


def test_questions_without_a_known_answer_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    rows = [row for n in range(COUNT) for row in choices(f"q{n}", answer=None if n >= 50 else 0)]
    evaluated = Evaluated.of(ArtifactStore(str(tmp_path)), rows)
    made = report(evaluated, {"dragon": (evaluated.run(GOOD),), "lm": (evaluated.run(BAD),)})
    metrics = metrics_of(made)
    assert (metrics["questions"], metrics["unscored_questions"]) == (50, 10)
    assert metrics["arms"]["dragon"]["accuracy"] == 1
    assert "10 more are left out" in text_of(made)
    assert len(pq.read_table(made.path("predictions.parquet"))) == 2 * COUNT


def test_without_a_known_answer_the_report_says_where_the_predictions_lie(tmp_path: Path) -> None:
    evaluated = Evaluated.of(ArtifactStore(str(tmp_path)), choices("a", answer=None) + choices("b", answer=None))
    arms = {"dragon": (evaluated.run([0, 0]),), "lm": (evaluated.run([1, 1]),)}
    made = report(evaluated, arms)
    text = text_of(made)
    assert "Nothing is scored: of the 2 test questions no right answer is known." in text
    assert all(f"`{run}`" in text for runs in arms.values() for run in runs)
    assert metrics_of(made)["runs"]["dragon"][0]["test_accuracy"] is None
    assert text_of(made, "summary.md").startswith("## Questions")
    assert {path.name for path in made.folder.glob("*.png")} == set()


def test_questions_of_one_row_are_scored_by_all_their_choices(tmp_path: Path) -> None:
    rows = [row for n in range(6) for row in choices(f"q{n}", answer=n % 3, graphs=(NO_GRAPH,))]
    evaluated = Evaluated.of(ArtifactStore(str(tmp_path)), rows)
    arms = {
        "dragon": (evaluated.run([0, 1, 2, 0, 1, 2], num_choices=3),),
        "lm": (evaluated.run([0] * 6, num_choices=3),),
    }
    made = report(evaluated, arms)
    metrics = metrics_of(made)
    assert metrics["chance"] == pytest.approx(1 / 3)
    assert metrics["arms"]["dragon"]["accuracy"] == 1
    assert metrics["arms"]["lm"]["accuracy"] == pytest.approx(1 / 3)
    assert metrics["groups"] == []
    assert "groups.png" not in text_of(made)


def test_runs_that_cannot_be_compared_are_refused(evaluated: Evaluated, tmp_path: Path) -> None:
    good, bad = evaluated.run(GOOD), evaluated.run(BAD)
    with pytest.raises(QuestionError, match="dragon have the seeds 0, 0; give runs of different seeds"):
        report(evaluated, {"dragon": (good, bad), "lm": (evaluated.run(GOOD, seed=1),)})
    longer = evaluated.run(GOOD, seed=1, epochs=9)
    with pytest.raises(QuestionError, match="of the arm dragon differ in epochs"):
        report(evaluated, {"dragon": (good, longer), "lm": (bad,)})
    for answers, words in ((1, "had other right answers"), (0, "answered other test questions")):
        name = "q" if answers else "other"
        others = Evaluated.of(
            evaluated.store, [row for n in range(COUNT) for row in choices(f"{name}{n}", answer=answers)]
        )
        with pytest.raises(QuestionError, match=words):
            report(evaluated, {"dragon": (good,), "lm": (others.run(BAD),)})


def test_an_arm_alone_is_compared_with_nothing(evaluated: Evaluated) -> None:
    made = report(evaluated, {"lm": (evaluated.run(GOOD), evaluated.run(BAD, seed=1))}, subject="lm")
    assert metrics_of(made)["leads"] == {}
    assert metrics_of(made)["arms"]["lm"]["accuracy"] == pytest.approx(40 / 60)
    text = text_of(made)
    assert "| the language model alone | " in text
    assert "| chance |  | 50.0 |  |\n" in text
    assert "There is no other arm to compare it with." in text
    for word in ("lead", "p:"):
        assert word not in text.split("### Groups")[0]


def test_a_comparison_needs_its_subject_and_runs(evaluated: Evaluated) -> None:
    run, other = evaluated.run(GOOD), evaluated.run(BAD)
    questions = evaluated.questions.reference
    with pytest.raises(QuestionError, match=r"The subject of the report, dragon, is none of its arms \(lm, qagnn\)"):
        Report(questions=questions, arms={"lm": (run,), "qagnn": (other,)})
    with pytest.raises(QuestionError, match=r"is none of its arms \(none\)"):
        Report(questions=questions, arms={})
    with pytest.raises(QuestionError, match="The arm dragon has a run twice"):
        Report(questions=questions, arms={"dragon": (run, run), "lm": (run,)})
    with pytest.raises(QuestionError, match=f"The arms lm and dragon are one model, {run}"):
        Report(questions=questions, arms={"lm": (other, run), "dragon": (run,)})
    with pytest.raises(QuestionError, match="The arm lm has no run"):
        Report(questions=questions, arms={"dragon": (run,), "lm": ()})
