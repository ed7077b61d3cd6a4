"""The stages of an evaluation, one after another; whoever calls says how a stage is made."""

from collections.abc import Callable, Sequence

from dragon_core.artifacts import ArtifactReference, Stage
from dragon_core.qa.arms import Arm, reads_graph, starting_stage
from dragon_core.qa.finetuning import FineTune
from dragon_core.qa.parameters import ArmParams, FineTuningParams
from dragon_core.qa.preparation import PrepareQuestions
from dragon_core.qa.preparer import ChoiceParams, PreparationParams
from dragon_core.qa.provenance import Provenance
from dragon_core.qa.report import ComparisonParams, Report
from dragon_core.training import Pretrain

MakeStage = Callable[[Stage], ArtifactReference]


def prepared_as(origin: Provenance, questions: ArtifactReference, choices: ChoiceParams) -> PrepareQuestions:
    """The stage that gives questions their subgraphs as the texts got theirs that a checkpoint was trained on."""
    return PrepareQuestions(
        questions=questions,
        graph=origin.pretraining.graph,
        linker=origin.linker,
        entity_table=origin.relevance.entity_table,
        encoder=origin.relevance.encoder,
        params=PreparationParams(
            **{name: getattr(choices, name) for name in ChoiceParams.model_fields},
            subgraphs=origin.extraction.params,
            text_vectors=origin.relevance.text_vectors,
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


def evaluate_questions(
    origin: Provenance,
    questions: ArtifactReference,
    choices: ChoiceParams,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    finetuning: FineTuningParams,
    report: ComparisonParams,
    make: MakeStage,
) -> ArtifactReference:
    """Fine-tune a checkpoint and its baselines on questions, and compare them; what was made is not made again.

    Args:
        origin: How the checkpoint was made.
        questions: The questions.
        choices: What is read of them and their choices.
        arms: What is compared.
        seeds: Each arm is fine-tuned with each.
        finetuning: The same for all.
        report: Of the report.
        make: Makes a stage.

    Returns:
        The evaluation.

    Raises:
        QuestionError: What is to be compared with the rest is none of the arms.
    """
    prepared = prepared_as(origin, questions, choices)

    def fine_tuning(arm: Arm, seed: int, make: MakeStage) -> FineTune:
        return fine_tuned(origin.pretraining, prepared.reference, arm, finetuning, seed, make)

    runs = {arm: tuple(fine_tuning(arm, seed, reference_of).reference for seed in seeds) for arm in arms}
    # What cannot be compared is refused here, before anything is made for hours.
    compared = Report(questions=prepared.reference, arms=runs, params=report)
    make(prepared)
    # Seed by seed, so that an evaluation that is cut short can compare the arms. What has to be pretrained comes last,
    # so that settings that do not fit show before.
    for seed in seeds:
        for arm in sorted(arms, key=lambda arm: arm == "lm-mlm"):
            make(fine_tuning(arm, seed, make))
    return make(compared)


def reference_of(stage: Stage) -> ArtifactReference:
    """What a stage would make, which is not made; for `make` of the functions above."""
    return stage.reference
