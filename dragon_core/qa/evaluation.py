"""The stages of an evaluation, one after another; whoever calls says how a stage is made."""

from collections.abc import Callable, Sequence

from dragon_core.artifacts import ArtifactReference, ArtifactStore, Stage
from dragon_core.qa.arms import Arm, reads_graph, starting_stage
from dragon_core.qa.finetuning import ArmParams, FineTune
from dragon_core.qa.preparation import PreparationParams, PrepareQuestions
from dragon_core.qa.provenance import Provenance
from dragon_core.qa.report import ComparisonParams, Report
from dragon_core.qa.tuning import FineTuningParams

MakeStage = Callable[[Stage], ArtifactReference]


def prepare_questions(
    store: ArtifactStore,
    checkpoint: ArtifactReference,
    questions: ArtifactReference,
    classes: Sequence[str],
    make: MakeStage,
) -> ArtifactReference:
    """Give questions their subgraphs, as the texts got theirs that a checkpoint was trained on."""
    origin = Provenance.of(store, checkpoint)
    params = PreparationParams(
        subgraphs=origin.extraction, text_vectors=origin.relevance.text_vectors, classes=tuple(classes)
    )
    return make(
        PrepareQuestions(
            questions=questions,
            graph=origin.graph,
            linker=origin.linker,
            entity_table=origin.relevance.entity_table,
            encoder=origin.relevance.encoder,
            params=params,
        )
    )


def fine_tune_arm(
    store: ArtifactStore,
    checkpoint: ArtifactReference,
    prepared: ArtifactReference,
    arm: Arm,
    params: FineTuningParams,
    seed: int,
    make: MakeStage,
) -> ArtifactReference:
    """Fine-tune an arm with a seed, after what it starts from is made."""
    origin = Provenance.of(store, checkpoint)
    start = starting_stage(arm, origin)
    return make(
        FineTune(
            questions=prepared,
            graph=origin.graph,
            entity_table=origin.entity_table,
            checkpoint=checkpoint if start is None else make(start),
            params=ArmParams(**params.model_dump(), use_graph=reads_graph(arm), seed=seed),
        )
    )


def evaluate_arms(
    store: ArtifactStore,
    checkpoint: ArtifactReference,
    prepared: ArtifactReference,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    finetuning: FineTuningParams,
    report: ComparisonParams,
    make: MakeStage,
) -> ArtifactReference:
    """Fine-tune all arms with all seeds, and report; what was made before is not made again.

    Args:
        store: Where the artifacts lie.
        checkpoint: The pretrained model.
        prepared: Questions with their subgraphs.
        arms: What is compared.
        seeds: Each arm is fine-tuned with each.
        finetuning: The same for all.
        report: Of the report.
        make: Makes a stage.

    Returns:
        The evaluation.
    """
    made: dict[str, list[ArtifactReference]] = {arm: [] for arm in arms}
    # Seed by seed, so that an evaluation that is cut short can compare the arms.
    for seed in seeds:
        for arm in arms:
            made[arm].append(fine_tune_arm(store, checkpoint, prepared, arm, finetuning, seed, make))
    return make(Report(questions=prepared, arms={arm: tuple(found) for arm, found in made.items()}, params=report))
