"""A stage: a pure function from artifacts and parameters to an artifact, written as one class."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from dragon_core.artifacts.identity import KEY_LENGTH, ArtifactReference, ExternalFiles, json_digest
from dragon_core.artifacts.progress import Progress

if TYPE_CHECKING:
    from dragon_core.artifacts.draft import Draft, Shard
    from dragon_core.artifacts.store import Artifact, ArtifactStore


class Parameters(BaseModel):
    """Base of every stage's parameters: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Inputs:
    """The artifacts a stage reads, as attributes named like the stage's fields.

    Attributes:
        store: Where they lie; gives those of a field of groups.
    """

    def __init__(self, artifacts: dict[str, "Artifact"], store: "ArtifactStore") -> None:
        self._artifacts = artifacts
        self.store = store

    def __getattr__(self, name: str) -> "Artifact":
        try:
            return self._artifacts[name]
        except KeyError:
            raise AttributeError(f"The stage has no input artifact {name!r}") from None


class Stage(BaseModel):
    """Base of all stages.

    A subclass sets `name` and `version`, declares its inputs as fields (`ArtifactReference` or `ExternalFiles`,
    optional ones `| None`, any number of artifacts in named groups as `dict[str, tuple[ArtifactReference, ...]]`) and
    its parameters as the field `params`, and overrides `shards` with `make_shards`, or `finish`, or all.

    Attributes:
        name: Names the stage and the store's folder of its artifacts.
        version: To be raised when the same inputs and parameters would give other bytes.
        patience: Seconds to wait while another process makes the same artifact.
        params: Its parameters.
        for_comparison: Whether its artifact is made to be compared with another, so that `STAGE/latest` is never it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]
    version: ClassVar[int]
    patience: ClassVar[float] = math.inf

    params: Parameters
    for_comparison: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not (hasattr(cls, "name") and hasattr(cls, "version")):
            raise TypeError(f"{cls.__name__} must set `name` and `version`")

    @property
    def artifacts(self) -> dict[str, ArtifactReference]:
        """References of the artifacts it reads, by field name; of a field of groups, by `field.group.position`."""
        return {name: reference for field, value in self for name, reference in _references(field, value)}

    @property
    def external(self) -> dict[str, ExternalFiles]:
        """External files it reads, by field name."""
        return {name: value for name, value in self if isinstance(value, ExternalFiles)}

    @property
    def reference(self) -> ArtifactReference:
        """Reference of the artifact that this stage makes: a hash of stage, version, parameters and inputs."""
        identity = {
            "stage": self.name,
            "version": self.version,
            "params": self.params.model_dump(mode="json"),
            "artifacts": {name: str(reference) for name, reference in self.artifacts.items()},
            "external": {name: files.digest for name, files in self.external.items()},
        }
        return ArtifactReference(stage=self.name, key=json_digest(identity)[:KEY_LENGTH])

    def shards(self, inputs: Inputs) -> Sequence[str]:
        """Names of the shards to make; none for a stage that is made in one piece."""
        return ()

    def make_shards(self, inputs: Inputs, shards: Iterable["Shard"]) -> None:
        """Make each of `shards`; asking for the next one commits the one before."""

    def finish(self, inputs: Inputs, draft: "Draft", progress: Progress) -> None:
        """Make what is made once, after all shards."""


def _references(name: str, value: Any) -> Iterator[tuple[str, ArtifactReference]]:
    if isinstance(value, ArtifactReference):
        yield name, value
    elif isinstance(value, dict):
        for group, members in value.items():
            for position, member in enumerate(members):
                yield from _references(f"{name}.{group}.{position}", member)
