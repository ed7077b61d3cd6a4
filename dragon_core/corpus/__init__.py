"""The text corpus: readers, segmentation, and what is held out."""

from dragon_core.corpus.documents import Document
from dragon_core.corpus.errors import CorpusError, EmptyCorpusError
from dragon_core.corpus.schema import HOLDOUT_NAME
from dragon_core.corpus.stage import BuildCorpus, CorpusParams

__all__ = ["HOLDOUT_NAME", "BuildCorpus", "CorpusError", "CorpusParams", "Document", "EmptyCorpusError"]
