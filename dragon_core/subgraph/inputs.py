"""Whether the inputs of a stage that extracts subgraphs are those that its relevance needs, and belong together."""

from collections.abc import Iterable

from dragon_core.artifacts import Artifact, ArtifactReference
from dragon_core.subgraph.errors import SubgraphError
from dragon_core.subgraph.params import SubgraphParams


def check_inputs(params: SubgraphParams, needed: dict[str, bool], **given: object) -> None:
    """Compare what a stage was given with what its relevance needs.

    Args:
        params: Of the stage.
        needed: Whether the relevance reads an optional input, by the input's name.
        given: The optional inputs; None: not given.

    Raises:
        SubgraphError: One is missing, or is given and never read.
    """
    missing = [name for name, is_needed in needed.items() if is_needed and given[name] is None]
    if missing:
        raise SubgraphError(
            f"Relevance by {params.relevance} needs {' and '.join(missing)}; give it, or choose another relevance."
        )
    unread = [name for name, is_needed in needed.items() if not is_needed and given[name] is not None]
    if unread:
        raise SubgraphError(f"Relevance by {params.relevance} does not read {' and '.join(unread)}; give none.")


def check_origins(expected: Iterable[tuple[Artifact, str, ArtifactReference]]) -> None:
    """Refuse inputs that were made from another graph or corpus than the one that is given.

    Args:
        expected: An artifact, its input's name, and what that has to be.

    Raises:
        SubgraphError: One was made from another.
    """
    for artifact, role, reference in expected:
        origin = artifact.manifest.origin(role)
        if origin != reference:
            raise SubgraphError(
                f"{artifact.reference} was made from {origin}, not from {reference}; give inputs of one {role}."
            )


def check_encoder(artifact: Artifact, digest: str) -> None:
    """Refuse vectors of another encoder than the one whose files have a digest.

    Raises:
        SubgraphError: They are.
    """
    if artifact.manifest.inputs["encoder"].digest != digest:
        raise SubgraphError(
            f"{artifact.reference} and what it is compared with are vectors of two encoders; make both with the same."
        )
