"""The ablations of the paper (Yasunaga et al., NeurIPS 2022): one thing changed at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import ValidationError

from dragon_core.artifacts import ArtifactReference
from dragon_core.errors import first_problem
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.evaluation import MakeStage, fine_tuned, prepared_as, reference_of
from dragon_core.qa.finetuning import FineTune
from dragon_core.qa.parameters import FineTuningParams
from dragon_core.qa.preparer import ChoiceParams
from dragon_core.qa.provenance import Provenance
from dragon_core.qa.report import ComparisonParams, Report
from dragon_core.subgraph import SubgraphParams
from dragon_core.training import TrainingParams


@dataclass(frozen=True)
class Ablation:
    """A model that differs from the base in one thing.

    Attributes:
        training: Parameters of pretraining that are other than the base's.
        subgraphs: Parameters of the subgraphs, of texts and questions, likewise.
    """

    training: dict[str, Any] = field(default_factory=dict)
    subgraphs: dict[str, Any] = field(default_factory=dict)

    def of(self, origin: Provenance, make: MakeStage) -> Provenance:
        """How its model is made; the subgraphs that it is pretrained on are made.

        Args:
            origin: How the base was made.
            make: Makes a stage.

        Raises:
            ValidationError: The base's parameters do not go with those that are changed.
        """
        extraction, relevance = origin.extraction, origin.relevance
        if self.subgraphs:
            params = SubgraphParams(**(extraction.params.model_dump() | self.subgraphs))
            unread: dict[str, Any] = {}
            if not params.compares_vectors:
                unread |= {"entity_table": None, "text_vectors": None}
                relevance = replace(relevance, entity_table=None)
            if not params.scores_texts:
                unread |= {"encoder": None}
            if not params.compares_vectors and not params.scores_texts:
                relevance = replace(relevance, encoder=None)
            extraction = extraction.model_copy(update={"params": params, "for_comparison": True, **unread})
        pretraining = origin.pretraining.model_copy(
            update={
                "subgraphs": make(extraction),
                "params": TrainingParams(**(origin.pretraining.params.model_dump() | self.training)),
                "for_comparison": True,
            }
        )
        return Provenance(origin.linker, extraction, relevance, pretraining)


AblationName = Literal[
    "objective: masked LM only",
    "objective: link prediction only",
    "decoder: TransE",
    "decoder: RotatE",
    "decoder: ComplEx",
    "interaction: none",
    "interaction: once",
    "graph: as sentences",
    "subgraph: k = 1",
    "subgraph: k = 3",
    "subgraph: kept by degree",
    "subgraph: kept by PageRank",
    "subgraph: kept at random",
]

ABLATIONS: dict[AblationName, Ablation] = {
    "objective: masked LM only": Ablation({"max_link_targets": 0}),
    "objective: link prediction only": Ablation({"mask_share": 0.0}),
    "decoder: TransE": Ablation({"link_decoder": "transe"}),
    "decoder: RotatE": Ablation({"link_decoder": "rotate"}),
    "decoder: ComplEx": Ablation({"link_decoder": "complex"}),
    "interaction: none": Ablation({"interaction": "none"}),
    "interaction: once": Ablation({"interaction": "once"}),
    "graph: as sentences": Ablation({"num_fusion_layers": -1, "graph_as_text": True}),
    "subgraph: k = 1": Ablation({}, {"k": 1}),
    "subgraph: k = 3": Ablation({}, {"k": 3}),
    "subgraph: kept by degree": Ablation({}, {"relevance": "degree"}),
    "subgraph: kept by PageRank": Ablation({}, {"relevance": "ppr"}),
    "subgraph: kept at random": Ablation({}, {"relevance": "random"}),
}


def evaluate_ablations(
    origin: Provenance,
    questions: ArtifactReference,
    choices: ChoiceParams,
    names: Sequence[AblationName],
    seeds: Sequence[int],
    finetuning: FineTuningParams,
    report: ComparisonParams,
    make: MakeStage,
) -> ArtifactReference:
    """Pretrain and fine-tune the model of each ablation, and report; what was made before is not made again.

    There is a report after each model, of those so far.

    Args:
        origin: How the model was made that all are compared with.
        questions: The questions.
        choices: What is read of them and their choices.
        names: What is changed, one thing at a time; one that changes nothing is left out.
        seeds: Each model is fine-tuned with each.
        finetuning: The same for all.
        report: Of the report.
        make: Makes a stage.

    Returns:
        The evaluation of all.

    Raises:
        QuestionError: No ablation changes anything, or one does not go with what the model was made by.
    """

    def runs(model: Provenance, make: MakeStage) -> Iterator[FineTune]:
        prepared = make(prepared_as(model, questions, choices))
        for seed in seeds:
            yield fine_tuned(model.pretraining, prepared, "dragon", finetuning, seed, make)

    changed = {name: _changed(name, origin) for name in names}
    base = origin.pretraining.reference
    models = {report.subject: origin} | {
        name: model for name, model in changed.items() if model.pretraining.reference != base
    }
    arms = {name: tuple(map(reference_of, runs(model, reference_of))) for name, model in models.items()}
    if len(arms) < 2:
        named = ", ".join(names) or "No ablation"
        raise QuestionError(f"{named} changes nothing of {origin.pretraining.reference}; give other ablations.")
    # What cannot be compared is refused here, before anything is pretrained for hours.
    compared = Report(questions=reference_of(prepared_as(origin, questions, choices)), arms=arms, params=report)
    made: dict[str, tuple[ArtifactReference, ...]] = {}
    for name, model in models.items():
        if name in changed:
            # Its subgraphs, too, only when it is its turn.
            make(model.extraction)
        made[name] = tuple(make(run) for run in runs(model, make))
        table = make(compared.model_copy(update={"arms": dict(made)}))
    return table


def _changed(name: AblationName, origin: Provenance) -> Provenance:
    try:
        model = ABLATIONS[name].of(origin, reference_of)
    except ValidationError as error:
        raise QuestionError(
            f"The ablation {name!r} does not go with {origin.pretraining.reference}: {first_problem(error)}. Leave it"
            " out."
        ) from error
    before, params = origin.pretraining.params, model.pretraining.params
    if params.num_fusion_layers < 0 <= before.num_fusion_layers and not params.encoder_learning_rate:
        raise QuestionError(
            f"The ablation {name!r} does not go with {origin.pretraining.reference}, whose encoder stayed as it was"
            " (encoder_learning_rate 0): without a graph network nothing that answers questions would be pretrained."
            " Leave it out."
        )
    return model
