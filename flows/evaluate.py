"""The flow `evaluate`: what a checkpoint's pretraining was worth on questions."""

from prefect import flow

from dragon_core.artifacts import ArtifactReference, ArtifactStore, Stage
from dragon_core.qa.arms import Arm
from dragon_core.qa.evaluation import MakeStage, evaluate_questions
from dragon_core.qa.generation import ABOUT, GenerateQuestions, QuestionParams, check_corpus
from dragon_core.qa.parameters import FineTuningParams, Seed
from dragon_core.qa.provenance import Provenance, source_of
from dragon_core.qa.reading import ReadQuestions
from dragon_core.qa.report import ComparisonParams, ReportParams
from dragon_core.qa.summary import run_summary
from dragon_core.training import Execution
from flows.sources import QuestionSource, named_files
from flows.stage_runner import run_stage
from flows.ui_artifacts import publish_result

ARMS: tuple[Arm, ...] = ("lm", "lm-of-dragon", "dragon")


@flow(name="evaluate")
def evaluate(
    checkpoint: str = "checkpoint/latest",
    questions: QuestionSource = QuestionSource(),
    arms: tuple[Arm, ...] = ARMS,
    seeds: tuple[Seed, ...] = (0,),
    finetuning: FineTuningParams = FineTuningParams(),
    report: ReportParams = ReportParams(),
    execution: Execution = Execution(),
    store: str = ".dragon/store",
) -> str:
    """Fine-tune a checkpoint and its baselines on questions, and compare them.

    Args:
        checkpoint: Reference of the checkpoint, checkpoint/KEY; checkpoint/latest is the newest that is no baseline
            or ablation.
        questions: The questions: generated ones, those of a published set, or your own.
        arms: What is compared: dragon, the checkpoint, and baselines.
        seeds: Each arm is fine-tuned with each.
        finetuning: Fine-tuning, the same for the model and its baselines.
        report: The arm that is compared with the others, and the intervals.
        execution: How many processes pretrain the arm lm-mlm, and with how many threads.
        store: Where the artifacts lie, a folder or a URL.

    Returns:
        Reference of the evaluation.
    """
    reference = ArtifactStore(store).resolve(checkpoint).reference
    evaluation = evaluate_checkpoint(reference, questions, arms, seeds, finetuning, report, execution, store)
    publish_result(run_summary(ArtifactStore(store), reference, evaluation))
    return str(evaluation)


def evaluate_checkpoint(
    checkpoint: ArtifactReference,
    questions: QuestionSource,
    arms: tuple[Arm, ...],
    seeds: tuple[int, ...],
    finetuning: FineTuningParams,
    report: ReportParams,
    execution: Execution,
    store: str,
) -> ArtifactReference:
    """The stages of an evaluation, within a flow run."""
    make = made_once(store, checkpoint)
    opened = ArtifactStore(store)
    origin = Provenance.of(opened, checkpoint, execution)
    asked, title, about = questions_of(origin, questions, opened, make)
    compared = ComparisonParams(**report.model_dump(), title=title, about=about)
    return evaluate_questions(origin, asked, questions, arms, seeds, finetuning, compared, make)


def made_once(store: str, checkpoint: ArtifactReference) -> MakeStage:
    """Makes stages within a flow run, each once, however many arms start from it; the checkpoint is there."""
    made = {checkpoint}

    def make(stage: Stage) -> ArtifactReference:
        if stage.reference not in made:
            made.add(run_stage(stage, store))
        return stage.reference

    return make


def questions_of(
    origin: Provenance, questions: QuestionSource, store: ArtifactStore, make: MakeStage
) -> tuple[ArtifactReference, str, str]:
    """Read or generate questions, within a flow run; give them, what they are called, and what to know of them."""
    params = questions.params
    if isinstance(params, QuestionParams):
        corpus = origin.extraction.corpus
        # Before files are hashed that may have changed since, which are not what is amiss.
        check_corpus(store.get(corpus))
        generated = GenerateQuestions(source=source_of(store, corpus), corpus=corpus, params=params)
        return make(generated), "Generated questions", ABOUT
    files = None if questions.files is None else named_files(params.source, questions.files)
    return make(ReadQuestions(source=files, params=params)), params.source, ""
