"""How the model of an ablation is made, and which ablations do not go with a model."""

from dataclasses import replace
from pathlib import Path

import pytest

from dragon_core.artifacts import ArtifactReference, ExternalFiles, Stage
from dragon_core.embedding import TextVectorParams
from dragon_core.qa import QuestionError
from dragon_core.qa.ablations import ABLATIONS, AblationName, evaluate_ablations
from dragon_core.qa.arms import starting_stage
from dragon_core.qa.evaluation import evaluate_questions, prepared_as, reference_of
from dragon_core.qa.parameters import FineTuningParams
from dragon_core.qa.preparer import ChoiceParams
from dragon_core.qa.provenance import Provenance, RelevanceInputs
from dragon_core.qa.report import ComparisonParams
from dragon_core.subgraph import ExtractSubgraphs, SubgraphParams
from dragon_core.training import Pretrain, TrainingParams

SUBGRAPHS: list[AblationName] = [name for name in ABLATIONS if name.startswith("subgraph: ")]


def some(stage: str) -> ArtifactReference:
    return ArtifactReference(stage=stage, key="0" * 16)


@pytest.fixture
def encoder(tmp_path: Path) -> ExternalFiles:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder/config.json").write_text("{}")
    return ExternalFiles.of("encoder", tmp_path / "encoder")


def made_with(relevance: str, encoder: ExternalFiles, **training: object) -> Provenance:
    """A model whose subgraphs were kept by a relevance."""
    vectors = {"entity_table": some("entity-table"), "text_vectors": some("text-vectors")}
    read = {"similarity": vectors, "lm": {"encoder": encoder}}.get(relevance, {})
    params = SubgraphParams(relevance=relevance)
    extraction = ExtractSubgraphs(
        mentions=some("mentions"), corpus=some("corpus"), graph=some("graph"), params=params, **read
    )
    return Provenance(
        some("linker"),
        extraction,
        RelevanceInputs(
            some("entity-table") if relevance == "similarity" else None,
            encoder if relevance in ("similarity", "lm") else None,
            TextVectorParams(),
        ),
        Pretrain(
            subgraphs=some("subgraphs"),
            graph=some("graph"),
            entity_table=some("entity-table"),
            encoder=encoder,
            params=TrainingParams(**training),
        ),
    )


@pytest.mark.parametrize("relevance", ["similarity", "lm", "degree"])
@pytest.mark.parametrize("name", SUBGRAPHS)
def test_subgraphs_are_extracted_and_prepared_from_what_their_relevance_reads(
    relevance: str, name: AblationName, encoder: ExternalFiles
) -> None:
    changed = ABLATIONS[name].of(made_with(relevance, encoder), reference_of)
    # Both stages refuse inputs that they do not read, and miss those that they do.
    ExtractSubgraphs.model_validate(changed.extraction.model_dump())
    prepared = prepared_as(changed, some("questions"), ChoiceParams())
    assert prepared.params.subgraphs == changed.extraction.params
    assert changed.pretraining.subgraphs == changed.extraction.reference


def test_an_ablation_that_leaves_nothing_to_train_is_named(encoder: ExternalFiles) -> None:
    origin = made_with("degree", encoder, mask_share=0.0)
    arguments = (ChoiceParams(), ["objective: masked LM only"], [0], FineTuningParams(), ComparisonParams(title=""))
    with pytest.raises(QuestionError, match=r"The ablation 'objective: masked LM only' does not go with checkpoint/"):
        evaluate_ablations(origin, some("questions"), *arguments, reference_of)


def test_the_graph_as_sentences_needs_an_encoder_that_learns(encoder: ExternalFiles) -> None:
    origin = made_with("degree", encoder, encoder_learning_rate=0.0)
    names: list[AblationName] = ["interaction: none", "graph: as sentences"]
    arguments = (ChoiceParams(), names, [0], FineTuningParams(), ComparisonParams(title=""))
    made: list[str] = []

    def make(stage: Stage) -> ArtifactReference:
        made.append(stage.name)
        return stage.reference

    with pytest.raises(QuestionError, match=r"'graph: as sentences' does not go with .* nothing that answers"):
        evaluate_ablations(origin, some("questions"), *arguments, make)
    assert made == []


def test_ablations_that_change_nothing_are_refused(encoder: ExternalFiles) -> None:
    arguments = (ChoiceParams(), ["subgraph: kept by degree"], [0], FineTuningParams(), ComparisonParams(title=""))
    made = made_with("degree", encoder)
    pretraining = made.pretraining.model_copy(update={"subgraphs": made.extraction.reference})
    with pytest.raises(QuestionError, match="subgraph: kept by degree changes nothing of checkpoint/"):
        evaluate_ablations(replace(made, pretraining=pretraining), some("questions"), *arguments, reference_of)


@pytest.mark.parametrize("settings", [{"mask_share": 0.0}, {"encoder_learning_rate": 0.0}])
def test_a_language_model_is_not_pretrained_alone_where_it_would_learn_nothing(
    encoder: ExternalFiles, settings: dict[str, float]
) -> None:
    with pytest.raises(QuestionError, match=r"leave (it out|out the arm lm-mlm)"):
        starting_stage("lm-mlm", made_with("degree", encoder, **settings).pretraining)


def test_a_models_subgraphs_are_made_when_it_is_its_turn(encoder: ExternalFiles) -> None:
    names: list[AblationName] = ["subgraph: k = 1", "subgraph: k = 3"]
    arguments = (ChoiceParams(), names, [0], FineTuningParams(), ComparisonParams(title=""))
    made: list[str] = []

    def make(stage: Stage) -> ArtifactReference:
        made.append(stage.name)
        return stage.reference

    evaluate_ablations(made_with("degree", encoder), some("questions"), *arguments, make)
    of_a_model = ["prepared-questions", "checkpoint", "finetuned", "evaluation"]
    assert made == [*of_a_model, "subgraphs", *of_a_model, "subgraphs", *of_a_model]


def test_what_has_to_be_pretrained_is_evaluated_last(encoder: ExternalFiles) -> None:
    made: list[Stage] = []

    def make(stage: Stage) -> ArtifactReference:
        made.append(stage)
        return stage.reference

    origin, arms = made_with("degree", encoder), ("lm-mlm", "lm", "dragon")
    arguments = (ChoiceParams(), arms, [0], FineTuningParams(), ComparisonParams(title=""), make)
    evaluate_questions(origin, some("questions"), *arguments)
    pretrained = [stage.reference for stage in made if isinstance(stage, Pretrain)]
    assert pretrained == [origin.pretraining.reference, starting_stage("lm-mlm", origin.pretraining).reference]
    assert [stage.name for stage in made][-3:] == ["checkpoint", "finetuned", "evaluation"]
