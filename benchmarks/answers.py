"""Question answering by pretrained and other models: what DRAGON's graph and its pretraining are worth.

    python -m benchmarks.answers [--sets openbookqa] [--arms lm "interaction: none"] [--seeds 3] [--share 0.1]
                                [--without-answer-edges] [--workers 2] [--store DIR]
    python -m benchmarks.answers --table

A cell is an arm, or an ablation of the model, a set of questions, how many of them are trained on, and a seed. Cells
that the results hold are not measured again, so that a run that was ended goes on, on another machine, too; a cell's
result is added as soon as it is there. `--table` prints the results in Markdown.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pyarrow.parquet as pq

from benchmarks.answer_data import LEARNING_ENCODER, QUESTION_SETS, SHARED_DATA, provenance, read_questions, write_texts
from benchmarks.answer_table import RESULTS, answers_table, read_rows, read_signal, signal_table
from benchmarks.reporting import machine
from dragon_core.artifacts import ArtifactReference, ArtifactStore, Stage, make
from dragon_core.artifacts.draft import METRICS_NAME
from dragon_core.qa import FineTune, FineTuningParams
from dragon_core.qa.ablations import ABLATIONS, AblationName
from dragon_core.qa.arms import Arm, starting_stage
from dragon_core.qa.evaluation import MakeStage, fine_tuned, prepared_as, reference_of
from dragon_core.qa.finetuning import PREDICTIONS_NAME
from dragon_core.qa.preparer import ChoiceParams
from dragon_core.qa.provenance import Provenance

ARMS: tuple[Arm, ...] = ("lm", "dragon", "greaselm", "lm-mlm")
# Pretrained without a graph network, so that there is nothing to learn but the encoder.
WITHOUT_NETWORK = ("lm-mlm", "graph: as sentences")
TRAIN_SIZES = {"openbookqa": 4957, "commonsenseqa": 8500}
FINE_TUNING = FineTuningParams(
    dev_examples=400,
    epochs=5,
    patience=3,
    batch_size=8,
    max_length=64,
    encoder_learning_rate=3e-5,
    new_learning_rate=1e-3,
)


@dataclass(frozen=True)
class Cell:
    """What is measured.

    Attributes:
        questions: The set of questions.
        share: How much of its training questions is trained on.
        arm: What is fine-tuned: an arm's name, or an ablation's.
        seed: Of the fine-tuning.
        answer_edges: Whether edges between question and choice are read.
    """

    questions: str
    share: float
    arm: Arm | AblationName
    seed: int
    answer_edges: bool = True

    @property
    def settings(self) -> FineTuningParams:
        """How its model is fine-tuned; two passes over all questions are four times the steps of five over a tenth."""
        epochs = 2 if self.share == 1 else FINE_TUNING.epochs
        return FINE_TUNING.model_copy(
            update={"train_examples": train_examples(self.questions, self.share), "epochs": epochs}
        )


def train_examples(name: str, share: float) -> int | None:
    """How many training questions of a set are a share of them; None is all."""
    return None if share == 1 else round(share * TRAIN_SIZES[name])


def prepared(name: str, model: Provenance, make: MakeStage, answer_edges: bool = True) -> ArtifactReference:
    """Prepare a set of questions as the texts were that a model was pretrained on."""
    return make(prepared_as(model, read_questions(name, make), ChoiceParams(answer_edges=answer_edges)))


def made_as(cell: Cell, origin: Provenance, make: MakeStage) -> tuple[Provenance, Arm]:
    """How a cell's model is made, and which of its arms is fine-tuned; what an ablation pretrains on is made."""
    if cell.arm in WITHOUT_NETWORK:
        params = origin.pretraining.params.model_copy(update=LEARNING_ENCODER)
        origin = replace(origin, pretraining=origin.pretraining.model_copy(update={"params": params}))
    if cell.arm in ABLATIONS:
        return ABLATIONS[cast(AblationName, cell.arm)].of(origin, make), "dragon"
    return origin, cast(Arm, cell.arm)


def stage_of(cell: Cell, origin: Provenance, make: MakeStage) -> FineTune:
    """The stage that measures a cell; what it reads and starts from is made."""
    model, arm = made_as(cell, origin, make)
    questions = prepared(cell.questions, model, make, cell.answer_edges)
    return fine_tuned(model.pretraining, questions, arm, cell.settings, cell.seed, make)


def make_alone(stage: Stage, store: str) -> None:
    """Make a stage in a process of its own, with a thread, as long as the process that asked for it lives."""
    import torch

    parent = multiprocessing.parent_process()

    def progress(done: int, total: int, /, **numbers: float) -> None:
        if parent is not None and not parent.is_alive():
            os._exit(1)

    torch.set_num_threads(1)
    make(stage, ArtifactStore(store), progress)


def row_of(cell: Cell, stage: FineTune, store: ArtifactStore) -> dict[str, Any]:
    """The result of a cell, which is in the store; `hits` are the bits of the test questions, in hexadecimal."""
    made = store.get(stage.reference)
    metrics = json.loads(made.path(METRICS_NAME).read_text())
    predictions = pq.read_table(made.path(PREDICTIONS_NAME))
    hits = np.asarray(predictions["predicted"]) == np.asarray(predictions["answer"])
    return {
        **vars(cell),
        "test_accuracy": metrics["test_accuracy"],
        "dev_accuracy": metrics["epochs"][metrics["best_epoch"] - 1]["dev_accuracy"],
        "best_epoch": metrics["best_epoch"],
        "questions_asked": len(hits),
        "hits": np.packbits(hits).tobytes().hex(),
        "finetuned": str(stage.reference),
        "version": stage.version,
        "checkpoint": str(stage.checkpoint),
        "prepared": str(stage.questions),
        "seconds": round(made.manifest.seconds),
        "machine": machine(),
    }


def measure(cells: Iterable[Cell], store: ArtifactStore, workers: int) -> None:
    """Measure what is not known yet, as many cells at once as there are workers."""

    def now(stage: Stage) -> ArtifactReference:
        began = time.perf_counter()
        reference = make(stage, store).reference
        print(f"{reference} after {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        return reference

    known = {row["finetuned"] for row in read_rows()}
    texts = write_texts(Path(f"{store.url}-texts"))
    origin = provenance(texts, reference_of)
    pending = [
        cell for cell in dict.fromkeys(cells) if str(stage_of(cell, origin, reference_of).reference) not in known
    ]
    if not pending:
        return
    provenance(texts, now)
    starts: dict[ArtifactReference, Stage] = {}
    cells_of: dict[ArtifactReference, list[Cell]] = {}
    for cell in pending:
        model, arm = made_as(cell, origin, now)
        prepared(cell.questions, model, now, cell.answer_edges)
        start = starting_stage(arm, model.pretraining)
        starts[start.reference] = start
        cells_of.setdefault(start.reference, []).append(cell)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool, ended_by_failure(pool):
        running: dict[Future[None], ArtifactReference | Cell] = {
            pool.submit(make_alone, start, store.url): reference for reference, start in starts.items()
        }
        while running:
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                done.result()
                made = running.pop(done)
                if isinstance(made, Cell):
                    add_result(row_of(made, stage_of(made, origin, reference_of), store))
                    continue
                for cell in cells_of[made]:
                    running[pool.submit(make_alone, stage_of(cell, origin, reference_of), store.url)] = cell


@contextmanager
def ended_by_failure(pool: ProcessPoolExecutor) -> Iterator[None]:
    """Let the pool begin nothing more once something failed; what it had begun is kept by the store."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def add_result(row: dict[str, Any]) -> None:
    """Add a result to those that there are."""
    line = json.dumps(row)
    print(line, flush=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def main() -> None:
    """Measure, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=list(QUESTION_SETS), default=list(QUESTION_SETS))
    parser.add_argument("--arms", nargs="+", choices=[*get_args(Arm), *ABLATIONS], default=list(ARMS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.1, help="of the training questions")
    parser.add_argument("--without-answer-edges", action="store_true", help="between question and choice")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="cells at once, a thread each")
    parser.add_argument("--store", default=".dragon/answers")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if arguments.table:
        print(answers_table(read_rows()), signal_table(read_signal()), sep="\n", end="")
        return
    if not SHARED_DATA.exists():
        raise SystemExit("The data are not there: set DRAGON_SHARED_DATA.")
    cells = [
        Cell(name, arguments.share, arm, seed, not arguments.without_answer_edges)
        for seed in range(arguments.seeds)
        for name in arguments.sets
        for arm in arguments.arms
    ]
    measure(cells, ArtifactStore(arguments.store), arguments.workers)


if __name__ == "__main__":
    main()
