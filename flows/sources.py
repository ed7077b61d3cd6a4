"""Tasks that find, or obtain, what comes from outside the store."""

from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from dragon_core.artifacts import ExternalFiles, cache_folder
from dragon_core.corpus import CorpusError, CorpusParams
from dragon_core.graph.wordnet_source import find_or_obtain_wordnet
from dragon_core.modeling.encoder import find_encoder
from flows.progress import LoggedProgress


@task(name="find-wordnet", cache_policy=NO_CACHE)
def wordnet_files() -> ExternalFiles:
    """WordNet's dictionary files, from this machine or downloaded."""
    files = find_or_obtain_wordnet(cache_folder(), LoggedProgress(get_run_logger(), "WordNet"))
    get_run_logger().info("WordNet lies in %s", files.path)
    return files


@task(name="find-text", cache_policy=NO_CACHE)
def text_files(folder: str) -> ExternalFiles:
    """A folder of text."""
    return ExternalFiles.of("text", Path(folder))


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
        CorpusError: The source is `text`, and no folder is given.
    """
    if params.source == "wordnet":
        return wordnet_files()
    if text_folder is None:
        raise CorpusError("The corpus is to be read from text; give its folder as text_folder.")
    return text_files(text_folder)
