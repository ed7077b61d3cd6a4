"""What a checkpoint was made from, read off the manifests: an evaluation needs the same graph, corpus and settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from dragon_core.artifacts import Artifact, ArtifactReference, ArtifactStore, ExternalFiles, Stage
from dragon_core.embedding import TextVectorParams
from dragon_core.errors import first_problem
from dragon_core.qa.errors import QuestionError
from dragon_core.subgraph import ExtractSubgraphs
from dragon_core.training import Execution, Pretrain

AnyStage = TypeVar("AnyStage", bound=Stage)


@dataclass(frozen=True)
class RelevanceInputs:
    """What scored the nodes of subgraphs, as inputs of `PrepareQuestions`.

    Attributes:
        entity_table: Vectors of the nodes, if texts are compared with them.
        encoder: The language model that read the texts, if one did.
        text_vectors: How it read them.
    """

    entity_table: ArtifactReference | None
    encoder: ExternalFiles | None
    text_vectors: TextVectorParams

    @classmethod
    def of(cls, store: ArtifactStore, subgraphs: Artifact) -> "RelevanceInputs":
        """Read them off a subgraphs artifact."""
        inputs = subgraphs.manifest.inputs
        if "text_vectors" in inputs:
            vectors = store.get(subgraphs.manifest.origin("text_vectors"))
            params = vectors.params(TextVectorParams)
            return cls(subgraphs.manifest.origin("entity_table"), _files_of(vectors, "encoder"), params)
        return cls(None, _files_of(subgraphs, "encoder") if "encoder" in inputs else None, TextVectorParams())


@dataclass(frozen=True)
class Provenance:
    """How a checkpoint was made.

    Attributes:
        linker: What linked its texts.
        extraction: The stage that extracted their subgraphs.
        relevance: What scored the nodes of these.
        pretraining: The stage that made the checkpoint.
    """

    linker: ArtifactReference
    extraction: ExtractSubgraphs
    relevance: RelevanceInputs
    pretraining: Pretrain

    @classmethod
    def of(
        cls, store: ArtifactStore, checkpoint: ArtifactReference, execution: Execution | None = None
    ) -> "Provenance":
        """Trace a checkpoint.

        Args:
            store: Holds it.
            checkpoint: Its reference.
            execution: How models that are to be compared with it are pretrained; no manifest tells how it was.

        Raises:
            ArtifactNotFoundError: The checkpoint, or an artifact it was made from, is not in the store.
            QuestionError: It is no checkpoint, files it was made from have moved, or another version of this program
                made it.
        """
        if checkpoint.stage != Pretrain.name:
            raise QuestionError(f"{checkpoint} is no checkpoint; give {Pretrain.name}/KEY.")
        model = store.get(checkpoint)
        subgraphs = store.get(model.manifest.origin("subgraphs"))
        mentions = subgraphs.manifest.origin("mentions")
        return cls(
            linker=store.get(mentions).manifest.origin("linker"),
            extraction=stage_that_made(subgraphs, ExtractSubgraphs),
            relevance=RelevanceInputs.of(store, subgraphs),
            pretraining=stage_that_made(model, Pretrain).model_copy(update={"execution": execution or Execution()}),
        )


def source_of(store: ArtifactStore, corpus: ArtifactReference) -> ExternalFiles:
    """The files that a corpus was read from.

    Raises:
        QuestionError: They have moved.
    """
    return _files_of(store.get(corpus), "source")


def stage_that_made(artifact: Artifact, kind: type[AnyStage]) -> AnyStage:
    """The stage that made an artifact, as its manifest tells; it reads no groups of artifacts.

    Args:
        artifact: The artifact.
        kind: Class of the stage.

    Raises:
        QuestionError: Files it was made from have moved or changed, or another version of the stage made it.
    """
    inputs = {
        role: _files_of(artifact, role) if record.reference is None else record.reference
        for role, record in artifact.manifest.inputs.items()
    }
    try:
        stage = kind.model_validate({**inputs, "params": artifact.manifest.params})
    except ValidationError as error:
        raise QuestionError(_of_another_version(artifact, first_problem(error))) from error
    if stage.reference != artifact.reference:
        raise QuestionError(_of_another_version(artifact, f"this one would make {stage.reference} of the same"))
    return stage


def _of_another_version(artifact: Artifact, why: str) -> str:
    return (
        f"{artifact.reference} was made by another version of this program ({why}); make it anew, or use the version"
        " that made it."
    )


def _files_of(artifact: Artifact, name: str) -> ExternalFiles:
    """The files from outside that an artifact was made from, by role.

    Raises:
        QuestionError: They have moved, or changed.
    """
    record = artifact.manifest.inputs[name]
    assert record.path is not None
    root = Path(record.path)
    if not root.exists():
        raise QuestionError(
            f"{artifact.reference} was made from {record.path}, which is gone; put it back, or make it anew."
        )
    # Manifests of before do not tell which files of the folder they were.
    if record.pattern is None:
        return ExternalFiles(name=name, path=record.path, digest=record.digest)
    files = ExternalFiles.of(name, root, record.pattern)
    if files.digest != record.digest:
        raise QuestionError(
            f"{artifact.reference} was made from {record.path}, whose files have changed since; put the old ones back,"
            " or make it anew."
        )
    return files
