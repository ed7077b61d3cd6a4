"""The flow `ablate`: what each part of the model and of its pretraining is worth, as one table."""

from prefect import flow

from dragon_core.artifacts import ArtifactStore
from dragon_core.qa.ablations import ABLATIONS, AblationName, evaluate_ablations
from dragon_core.qa.parameters import FineTuningParams, Seed
from dragon_core.qa.provenance import Provenance
from dragon_core.qa.report import ComparisonParams, ReportParams
from dragon_core.training import Execution
from flows.evaluate import made_once, questions_of
from flows.sources import QuestionSource


@flow(name="ablate")
def ablate(
    checkpoint: str = "checkpoint/latest",
    questions: QuestionSource = QuestionSource(),
    ablations: tuple[AblationName, ...] = tuple(ABLATIONS),
    seeds: tuple[Seed, ...] = (0,),
    finetuning: FineTuningParams = FineTuningParams(),
    report: ReportParams = ReportParams(),
    execution: Execution = Execution(),
    store: str = ".dragon/store",
) -> str:
    """Pretrain and fine-tune a model anew for each ablation, and compare all with the checkpoint.

    Whatever was made before, by this flow or another, is not made again: a run that was ended goes on.

    Args:
        checkpoint: Reference of the checkpoint, checkpoint/KEY; checkpoint/latest is the newest that is no baseline
            or ablation.
        questions: The questions: generated ones, those of a published set, or your own.
        ablations: What is changed, one thing at a time; one that changes nothing of the checkpoint is left out.
        seeds: Each model is fine-tuned with each.
        finetuning: Fine-tuning, the same for all.
        report: What the checkpoint is called, and the intervals.
        execution: How many processes pretrain, and with how many threads.
        store: Where the artifacts lie, a folder or a URL.

    Returns:
        Reference of the evaluation with the table.
    """
    opened = ArtifactStore(store)
    reference = opened.resolve(checkpoint).reference
    make = made_once(store, reference)
    origin = Provenance.of(opened, reference, execution)
    asked, title, about = questions_of(origin, questions, opened, make)
    compared = ComparisonParams(**report.model_dump(), title=f"Ablations: {title}", about=about)
    table = evaluate_ablations(origin, asked, questions, ablations, seeds, finetuning, compared, make)
    return str(table)
