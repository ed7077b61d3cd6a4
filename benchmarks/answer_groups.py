"""In which questions the arms differ: the paper's analyses of the cells that `benchmarks.answers` measured.

    python -m benchmarks.answer_groups [--share 0.1] [--store DIR]

Each group of the test questions is printed, a JSON line each, with the accuracy of the arms over all their seeds.
Ablations are left out. The store needs to have the prepared questions alone; without them, all that the models read
is made.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.answer_data import QUESTION_SETS, provenance, write_texts
from benchmarks.answer_table import SAMPLES, SUBJECT, Row, hits_of, latest_rows, read_rows
from benchmarks.answers import ARMS, prepared
from benchmarks.reporting import report_machine
from dragon_core.artifacts import ArtifactNotFoundError, ArtifactReference, ArtifactStore, Stage, make
from dragon_core.qa.analysis import group_questions
from dragon_core.qa.arms import in_order
from dragon_core.qa.dataset import PreparedQuestions
from dragon_core.qa.evaluation import reference_of
from dragon_core.qa.metrics import Hits, compare
from dragon_core.qa.preparation import read_choices


def hits_by_arm(rows: Iterable[Row], share: float, questions: ArtifactReference) -> dict[str, Hits]:
    """[seeds, questions] by arm which test questions were answered, with a share of the training questions.

    Args:
        rows: The cells that were measured.
        share: How much of the training questions was trained on.
        questions: The prepared questions that were read.
    """
    found: dict[str, list[Hits]] = {}
    for row in latest_rows(rows):
        if (row["share"], row["prepared"]) == (share, str(questions)) and row["arm"] in ARMS:
            found.setdefault(row["arm"], []).append(hits_of(row))
    return {arm: np.stack(found[arm]) for arm in in_order(found)}


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.1, help="of the training questions")
    parser.add_argument("--store", default=".dragon/answers")
    arguments = parser.parse_args()
    store = ArtifactStore(arguments.store)

    def now(stage: Stage) -> ArtifactReference:
        return make(stage, store).reference

    texts = write_texts(Path(f"{store.url}-texts"))
    origin = provenance(texts, reference_of)
    report_machine()
    for name in QUESTION_SETS:
        reference = prepared(name, origin, reference_of)
        try:
            made = store.get(reference)
        except ArtifactNotFoundError:
            made = store.get(prepared(name, provenance(texts, now), now))
        hits = hits_by_arm(read_rows(), arguments.share, reference)
        questions = PreparedQuestions.of(read_choices(made, "test"))
        for way, groups in group_questions(questions).items():
            for group, members in groups.items():
                found = compare({arm: runs[:, members] for arm, runs in hits.items()}, SUBJECT, SAMPLES, 0)
                measured = {arm: round(values["accuracy"], 4) for arm, values in found["arms"].items()}
                lead = {key: round(found["leads"]["lm"][key], 4) for key in ("difference", "low", "high")}
                described = {"set": name, "way": way, "group": group, "count": found["questions"]}
                print(json.dumps(described | {"accuracy": measured, "lead": lead, "prepared": str(reference)}))


if __name__ == "__main__":
    main()
