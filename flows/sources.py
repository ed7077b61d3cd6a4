"""Tasks that find, or obtain, what comes from outside the store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field, model_validator

from dragon_core.artifacts import ExternalFiles, LoggedProgress, Parameters, cache_folder
from dragon_core.corpus import CorpusError, CorpusParams
from dragon_core.embedding.encoder import find_encoder
from dragon_core.graph import GraphError
from dragon_core.graph.obo.packaged import find_hpo
from dragon_core.graph.obo.params import OboParams
from dragon_core.graph.sources import GraphParams
from dragon_core.graph.wordnet.lifting import WordNetParams
from dragon_core.graph.wordnet.source import find_or_obtain_wordnet
from dragon_core.qa.generation import QuestionParams
from dragon_core.qa.preparer import ChoiceParams
from dragon_core.qa.reading import SourceParams


@task(name="find-wordnet", cache_policy=NO_CACHE)
def wordnet_files() -> ExternalFiles:
    """WordNet's dictionary files, from this machine or downloaded."""
    files = find_or_obtain_wordnet(cache_folder(), LoggedProgress(get_run_logger(), "WordNet"))
    get_run_logger().info("WordNet lies in %s", files.path)
    return files


@task(name="find-hpo", cache_policy=NO_CACHE)
def hpo_files() -> ExternalFiles:
    """The Human Phenotype Ontology and its annotations, of an installed package."""
    files = find_hpo()
    get_run_logger().info("The Human Phenotype Ontology lies in %s", files.path)
    return files


class QuestionSource(ChoiceParams):
    """A set of questions."""

    files: str | None = Field(None, description="Its folder; generated questions, and sets of the Hub, have none.")
    params: QuestionParams | SourceParams = Field(QuestionParams(), discriminator="source")

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        if self.files is not None and isinstance(self.params, QuestionParams):
            raise ValueError("say in `params` which set `files` hold, such as {source: own}; generated ones have none")
        return self


class GraphSource(Parameters):
    """A knowledge source of the graph."""

    files: str | None = Field(
        None, description="Its file or folder; without it, WordNet is found or downloaded, and HPO found for obo."
    )
    params: GraphParams = WordNetParams()


def graph_files(sources: Sequence[GraphSource]) -> list[ExternalFiles]:
    """The files of each source of a graph.

    Raises:
        GraphError: There is no source, or one that has to be given files has none.
    """
    if not sources:
        raise GraphError("The graph has no source; give one in `graph`.")
    return [_files_of(source) for source in sources]


def _files_of(source: GraphSource) -> ExternalFiles:
    if source.files is not None:
        return named_files(source.params.source, source.files)
    if isinstance(source.params, WordNetParams):
        return wordnet_files()
    if isinstance(source.params, OboParams):
        return hpo_files()
    raise GraphError(f"The graph is to be made of {source.params.source}; give its file or folder as `files`.")


@task(name="find-files", cache_policy=NO_CACHE)
def named_files(name: str, path: str) -> ExternalFiles:
    """A file or folder, hashed."""
    return ExternalFiles.of(name, Path(path))


def annotation_files(path: str | None) -> ExternalFiles | None:
    """A file of annotated documents, if one is given."""
    return None if path is None else ExternalFiles.of("annotations", Path(path))


@task(name="find-encoder", cache_policy=NO_CACHE)
def encoder_files(name: str) -> ExternalFiles:
    """A pretrained language model: packaged, a local folder, or of the Hub."""
    files = find_encoder(name)
    get_run_logger().info("The encoder lies in %s", files.path)
    return files


def corpus_files(params: CorpusParams, text_folder: str | None) -> ExternalFiles:
    """What the corpus is read from.

    Raises:
        CorpusError: The source is `text`, and no folder is given; or it is WordNet, and one is.
    """
    if params.source == "wordnet":
        if text_folder is not None:
            raise CorpusError(
                f"The corpus is WordNet, which reads nothing in {text_folder}: leave out text_folder, or let the"
                " corpus' source be text."
            )
        return wordnet_files()
    if text_folder is not None:
        return named_files(params.source, text_folder)
    if params.source == "obo":
        return hpo_files()
    raise CorpusError("The corpus is to be read from text; give its folder as text_folder.")
