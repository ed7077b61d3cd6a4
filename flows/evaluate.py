"""The flow `evaluate`: what a checkpoint's pretraining was worth on questions."""

from prefect import flow

from dragon_core.artifacts import ArtifactReference, ArtifactStore, Stage
from dragon_core.qa.arms import Arm
from dragon_core.qa.evaluation import evaluate_arms, prepare_questions
from dragon_core.qa.generation import ABOUT, GenerateQuestions, QuestionParams
from dragon_core.qa.provenance import Provenance, source_of
from dragon_core.qa.report import ComparisonParams, ReportParams
from dragon_core.qa.summary import run_summary
from dragon_core.qa.tuning import FineTuningParams
from flows.stage_runner import run_stage
from flows.ui_artifacts import publish_result

ARMS: tuple[Arm, ...] = ("lm", "lm-of-dragon", "dragon")


@flow(name="evaluate")
def evaluate(
    checkpoint: str = "checkpoint/latest",
    questions: QuestionParams = QuestionParams(),
    finetuning: FineTuningParams = FineTuningParams(),
    report: ReportParams = ReportParams(),
    store: str = ".dragon/store",
) -> str:
    """Fine-tune a checkpoint and its baselines on generated questions, and compare them.

    Args:
        checkpoint: Reference of the checkpoint, checkpoint/KEY; checkpoint/latest is the newest.
        questions: The generated questions.
        finetuning: Fine-tuning, the same for the model and its baselines.
        report: The intervals of the report.
        store: Where the artifacts lie, a folder or a URL.

    Returns:
        Reference of the evaluation.
    """
    reference = ArtifactStore(store).resolve(checkpoint).reference
    evaluation = evaluate_checkpoint(reference, questions, finetuning, report, store)
    publish_result(run_summary(ArtifactStore(store), reference, evaluation))
    return str(evaluation)


def evaluate_checkpoint(
    checkpoint: ArtifactReference,
    questions: QuestionParams,
    finetuning: FineTuningParams,
    report: ReportParams,
    store: str,
) -> ArtifactReference:
    """The stages of an evaluation on generated questions, within a flow run."""

    def make(stage: Stage) -> ArtifactReference:
        return run_stage(stage, store)

    opened = ArtifactStore(store)
    origin = Provenance.of(opened, checkpoint)
    dictionary = source_of(opened, origin.corpus)
    generated = make(GenerateQuestions(source=dictionary, corpus=origin.corpus, graph=origin.graph, params=questions))
    prepared = prepare_questions(opened, checkpoint, generated, (), make)
    compared = ComparisonParams(**report.model_dump(), title="Generated questions", about=ABOUT)
    return evaluate_arms(opened, checkpoint, prepared, ARMS, (0,), finetuning, compared, make)
