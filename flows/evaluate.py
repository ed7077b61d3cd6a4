"""The flow `evaluate`: what a checkpoint's pretraining was worth on questions."""

from prefect import flow

from dragon_core.artifacts import ArtifactReference, ArtifactStore
from dragon_core.qa.arms import Arm, reads_graph, starting_stage
from dragon_core.qa.finetuning import ArmParams, FineTune
from dragon_core.qa.generation import GenerateQuestions, QuestionParams
from dragon_core.qa.preparation import PreparationParams, PrepareQuestions
from dragon_core.qa.provenance import Provenance, source_of
from dragon_core.qa.report import Evaluate, ReportParams
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
    """The stages of an evaluation, within a flow run."""
    opened = ArtifactStore(store)
    origin = Provenance.of(opened, checkpoint)
    dictionary = source_of(opened, origin.corpus)
    generated = run_stage(
        GenerateQuestions(source=dictionary, corpus=origin.corpus, graph=origin.graph, params=questions), store
    )
    prepared = run_stage(
        PrepareQuestions(
            questions=generated,
            graph=origin.graph,
            linker=origin.linker,
            entity_table=origin.relevance.entity_table,
            encoder=origin.relevance.encoder,
            params=PreparationParams(subgraphs=origin.extraction, text_vectors=origin.relevance.text_vectors),
        ),
        store,
    )
    arms: dict[str, ArtifactReference] = {}
    for arm in ARMS:
        start = starting_stage(arm, origin)
        arms[arm.replace("-", "_")] = run_stage(
            FineTune(
                questions=prepared,
                graph=origin.graph,
                entity_table=origin.entity_table,
                checkpoint=checkpoint if start is None else run_stage(start, store),
                params=ArmParams(**finetuning.model_dump(), use_graph=reads_graph(arm)),
            ),
            store,
        )
    return run_stage(Evaluate(questions=generated, **arms, params=report), store)
