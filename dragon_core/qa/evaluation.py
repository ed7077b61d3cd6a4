"""The stages of an evaluation, one after another; whoever calls says how a stage is made."""

from collections.abc import Callable, Sequence

from dragon_core.artifacts import ArtifactReference, Stage
from dragon_core.qa.arms import Arm, reads_graph, starting_stage
from dragon_core.qa.finetuning import ArmParams, FineTune
from dragon_core.qa.preparation import PrepareQuestions
from dragon_core.qa.preparer import PreparationParams
from dragon_core.qa.provenance import Provenance
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
    """
    made: dict[str, list[ArtifactReference]] = {arm: [] for arm in arms}
    # Seed by seed, so that an evaluation that is cut short can compare the arms.
    for seed in seeds:
        for arm in arms:
            made[arm].append(make(fine_tuned(pretraining, prepared, arm, finetuning, seed, make)))
    return make(Report(questions=prepared, arms={arm: tuple(found) for arm, found in made.items()}, params=report))
