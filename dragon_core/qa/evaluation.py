"""The stages of an evaluation, one after another; whoever calls says how a stage is made."""

from collections.abc import Callable, Sequence

from dragon_core.artifacts import ArtifactReference, Stage
from dragon_core.qa.arms import Arm, reads_graph, starting_stage
from dragon_core.qa.finetuning import ArmParams, FineTune
from dragon_core.qa.preparation import PrepareQuestions
from dragon_core.qa.preparer import PreparationParams
from dragon_core.qa.provenance import Provenance
from dragon_core.qa.reading import ReadQuestions
from dragon_core.qa.report import ComparisonParams, Report
from dragon_core.qa.tuning import FineTuningParams
from dragon_core.training import Pretrain

MakeStage = Callable[[Stage], ArtifactReference]


def prepared_as(origin: Provenance, questions: ArtifactReference, classes: Sequence[str] = ()) -> PrepareQuestions:
    """The stage that gives questions their subgraphs as the texts got theirs that a checkpoint was trained on."""
    return PrepareQuestions(
        questions=questions,
        graph=origin.pretraining.graph,
        linker=origin.linker,
        entity_table=origin.relevance.entity_table,
        encoder=origin.relevance.encoder,
        params=PreparationParams(
            subgraphs=origin.extraction.params, text_vectors=origin.relevance.text_vectors, classes=tuple(classes)
        ),
    )


def evaluate_questions(
    origin: Provenance,
    reading: ReadQuestions,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    finetuning: FineTuningParams,
    make: MakeStage,
) -> ArtifactReference:
    """Evaluate a checkpoint and its baselines on a question set.

    Args:
        origin: How the checkpoint was made.
        reading: The stage that reads the questions.
        arms: What is compared.
        seeds: Each arm is fine-tuned with each.
        finetuning: The same for all.
        make: Makes a stage.

    Returns:
        The evaluation.

    Raises:
        QuestionError: There is nothing to compare the checkpoint with.
    """
    prepared = make(prepared_as(origin, make(reading)))
    report = ComparisonParams(title=reading.params.source)
    return evaluate_arms(origin.pretraining, prepared, arms, seeds, finetuning, report, make)


def fine_tuned(
    pretraining: Pretrain,
    prepared: ArtifactReference,
    arm: Arm,
    params: FineTuningParams,
    seed: int,
    make: MakeStage,
) -> FineTune:
    """The stage that fine-tunes an arm with a seed; what the arm starts from is made."""
    return FineTune(
        questions=prepared,
        graph=pretraining.graph,
        entity_table=pretraining.entity_table,
        checkpoint=make(starting_stage(arm, pretraining)),
        params=ArmParams(**params.model_dump(), use_graph=reads_graph(arm), seed=seed),
    )


def evaluate_arms(
    pretraining: Pretrain,
    prepared: ArtifactReference,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    finetuning: FineTuningParams,
    report: ComparisonParams,
    make: MakeStage,
) -> ArtifactReference:
    """Fine-tune all arms with all seeds, and report; what was made before is not made again.

    Args:
        pretraining: The stage that made the model which is evaluated.
        prepared: Questions with their subgraphs.
        arms: What is compared.
        seeds: Each arm is fine-tuned with each.
        finetuning: The same for all.
        report: Of the report.
        make: Makes a stage.

    Returns:
        The evaluation.

    Raises:
        QuestionError: There is nothing to compare the subject with.
    """

    def fine_tuning(arm: Arm, seed: int, make: MakeStage) -> FineTune:
        return fine_tuned(pretraining, prepared, arm, finetuning, seed, make)

    runs = {arm: tuple(fine_tuning(arm, seed, reference_of).reference for seed in seeds) for arm in arms}
    # What cannot be compared is refused here, before anything is fine-tuned for hours.
    compared = Report(questions=prepared, arms=runs, params=report)
    # Seed by seed, so that an evaluation that is cut short can compare the arms.
    for seed in seeds:
        for arm in arms:
            make(fine_tuning(arm, seed, make))
    return make(compared)


def reference_of(stage: Stage) -> ArtifactReference:
    """What a stage would make, which is not made; for `make` of the functions above."""
    return stage.reference
