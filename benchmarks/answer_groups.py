"""In which questions the arms differ: the paper's analyses of the cells that `benchmarks.answers` measured.

    python -m benchmarks.answer_groups [--share 0.1] [--store DIR]

For each set of questions the report of its arms and all seeds is made in the store that the cells were measured in, and
its groups of questions are printed, a JSON line each. Ablations are left out.
"""

import argparse
import json
from collections.abc import Iterable

from benchmarks.answer_data import QUESTION_SETS
from benchmarks.answer_table import Row, latest_rows, read_rows
from benchmarks.answers import ARMS
from benchmarks.reporting import report_machine
from dragon_core.artifacts import ArtifactReference, ArtifactStore, make
from dragon_core.qa import ComparisonParams, Report
from dragon_core.qa.report import METRICS_NAME


def comparison(name: str, rows: Iterable[Row]) -> Report:
    """The stage that compares the cells of a set of questions."""
    arms: dict[str, tuple[ArtifactReference, ...]] = {}
    prepared = set()
    for row in sorted(rows, key=lambda row: row["seed"]):
        arms[row["arm"]] = (*arms.get(row["arm"], ()), ArtifactReference.parse(row["finetuned"]))
        prepared.add(row["prepared"])
    (questions,) = prepared
    return Report(questions=ArtifactReference.parse(questions), arms=arms, params=ComparisonParams(title=name))


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.1, help="of the training questions")
    parser.add_argument("--store", default=".dragon/answers")
    arguments = parser.parse_args()
    store = ArtifactStore(arguments.store)
    report_machine()
    for name in QUESTION_SETS:
        rows = [
            row
            for row in latest_rows(read_rows())
            if (row["questions"], row["share"], row["answer_edges"]) == (name, arguments.share, True)
            and row["arm"] in ARMS
        ]
        made = make(comparison(name, rows), store)
        for way in json.loads(made.path(METRICS_NAME).read_text(encoding="utf-8"))["groups"]:
            for group in way["groups"]:
                found = {"set": name, "way": way["title"], "group": group["title"], "count": group["questions"]}
                measured = {arm: round(group["arms"][arm]["accuracy"], 4) for arm in group["arms"]}
                lead = {key: round(group["leads"]["lm"][key], 4) for key in ("difference", "low", "high")}
                print(json.dumps(found | {"accuracy": measured, "lead": lead, "evaluation": str(made.reference)}))


if __name__ == "__main__":
    main()
