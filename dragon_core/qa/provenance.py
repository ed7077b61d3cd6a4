"""What a checkpoint was made from, read off the manifests: an evaluation needs the same graph, corpus and settings."""

from dataclasses import dataclass

from dragon_core.artifacts import Artifact, ArtifactReference, ArtifactStore, ExternalFiles
from dragon_core.qa.errors import QuestionError
from dragon_core.subgraph import SubgraphParams


@dataclass(frozen=True)
class Provenance:
    """Inputs of a checkpoint, and how its texts became subgraphs."""

    graph: ArtifactReference
    corpus: ArtifactReference
    linker: ArtifactReference
    mentions: ArtifactReference
    subgraphs: ArtifactReference
    entity_table: ArtifactReference
    encoder: ExternalFiles
    dictionary: ExternalFiles
    extraction: SubgraphParams

    @classmethod
    def of(cls, store: ArtifactStore, checkpoint: ArtifactReference) -> "Provenance":
        """Trace a checkpoint.

        Raises:
            ArtifactNotFoundError: The checkpoint, or an artifact it was made from, is not in the store.
            QuestionError: Files it was made from have moved, or an older version made it.
        """
        model = store.get(checkpoint)
        subgraphs = store.get(_input(model, "subgraphs"))
        mentions = store.get(_input(subgraphs, "mentions"))
        graph = store.get(_input(model, "graph"))
        return cls(
            graph=graph.reference,
            corpus=_input(mentions, "corpus"),
            linker=_input(mentions, "linker"),
            mentions=mentions.reference,
            subgraphs=subgraphs.reference,
            entity_table=_input(model, "entity_table"),
            encoder=_files(model, "encoder"),
            dictionary=_files(graph, "source"),
            extraction=SubgraphParams(**subgraphs.manifest.params),
        )


def _input(artifact: Artifact, name: str) -> ArtifactReference:
    record = artifact.manifest.inputs.get(name)
    if record is None or record.reference is None:
        raise QuestionError(
            f"{artifact.reference} was made by an older version, without {name}; run pretrain again, then evaluate."
        )
    return record.reference


def _files(artifact: Artifact, name: str) -> ExternalFiles:
    record = artifact.manifest.inputs[name]
    assert record.path is not None
    files = ExternalFiles(name=name, path=record.path, digest=record.digest)
    if not files.root.exists():
        raise QuestionError(
            f"{artifact.reference} was made from {record.path}, which is gone; put it back, or make it anew."
        )
    return files
