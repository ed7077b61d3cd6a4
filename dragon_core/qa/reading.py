"""The stage that reads questions from the files of published sets, from one's own, or with `datasets`."""

from pathlib import Path
from typing import ClassVar, Self, get_args

import pyarrow as pa
from pydantic import Field, ValidationError, model_validator

from dragon_core.artifacts import Draft, ExternalFiles, Inputs, Progress, Stage
from dragon_core.artifacts.draft import Tally
from dragon_core.errors import first_problem
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.schema import QUESTIONS, SPLITS, split_name
from dragon_core.qa.sources.decisions import BioASQParams, PubMedQAParams, read_bioasq, read_pubmedqa
from dragon_core.qa.sources.examinations import MedMCQAParams, MedQAParams, read_medmcqa, read_medqa
from dragon_core.qa.sources.files import QuestionFiles
from dragon_core.qa.sources.hub import HubParams, read_hub
from dragon_core.qa.sources.label_files import PiqaParams, SocialIQAParams, read_piqa, read_socialiqa
from dragon_core.qa.sources.labelled_choices import (
    ArcParams,
    CommonsenseQAParams,
    OpenBookQAParams,
    QascParams,
    RiddleSenseParams,
    read_arc,
    read_commonsenseqa,
    read_openbookqa,
    read_qasc,
    read_riddlesense,
)
from dragon_core.qa.sources.own_files import OwnFilesParams, read_own_files
from dragon_core.qa.sources.reader import QuestionReader
from dragon_core.qa.sources.splits import Splits

FileParams = (
    CommonsenseQAParams
    | OpenBookQAParams
    | RiddleSenseParams
    | ArcParams
    | QascParams
    | SocialIQAParams
    | PiqaParams
    | MedQAParams
    | MedMCQAParams
    | PubMedQAParams
    | BioASQParams
    | OwnFilesParams
)
SourceParams = FileParams | HubParams
SOURCES: dict[str, type[SourceParams]] = {
    kind.model_fields["source"].default: kind for kind in (*get_args(FileParams), HubParams)
}


class ReadQuestions(Stage):
    """Questions of a published set, or of one's own, in three splits."""

    name: ClassVar[str] = "questions"
    version: ClassVar[int] = 2

    source: ExternalFiles | None = None
    params: SourceParams = Field(discriminator="source")

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        by_name = isinstance(self.params, HubParams) and self.params.dataset is not None
        if by_name and self.source is not None:
            raise ValueError("a data set is given by its name and by files; give one of the two")
        if not by_name and self.source is None:
            raise ValueError(f"the source {self.params.source!r} is read from files; give its folder")
        return self

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write a table a split.

        Raises:
            QuestionError: Files are missing or of another form, or a split has no question.
            TooManyRejectsError: Too many items of a file could not be read.
        """
        splits = read_source(self.source, self.params, draft)
        for split in SPLITS:
            rows = [vars(question) for question in getattr(splits, split)]
            if not rows:
                raise QuestionError(f"The source {self.params.source!r} gave no question of {split}; check its files.")
            draft.write_table(split_name(split), pa.Table.from_pylist(rows, schema=QUESTIONS))
            draft.count(**{split: len(rows)})


def reading_of(path: Path | None, source: str, options: str = "{}") -> ReadQuestions:
    """The stage that reads a set.

    Args:
        path: The folder of its files; None for one of the Hub, which `options` name.
        source: Which set it is.
        options: JSON of its parameters other than `source`.

    Raises:
        QuestionError: There is no such set, or it has no such parameters.
        DragonError: There is no such folder.
    """
    if source not in SOURCES:
        raise QuestionError(f"There is no question set {source!r}; give one of {', '.join(SOURCES)}.")
    try:
        params = SOURCES[source].model_validate_json(options)
    except ValidationError as error:
        raise QuestionError(f"{options} are no options of {source}: {first_problem(error)}.") from error
    files = None if path is None else ExternalFiles.of(source, path)
    try:
        return ReadQuestions(source=files, params=params)
    except ValidationError as error:
        raise QuestionError(f"The question set cannot be read: {first_problem(error)}.") from error


def read_source(source: ExternalFiles | None, params: SourceParams, tally: Tally) -> Splits:
    """Read a question set.

    Args:
        source: Its folder; None for a data set of the Hub.
        params: Which set it is, and its options.
        tally: Takes rejects and counts; `records` are the items that were read, good and bad.

    Raises:
        QuestionError: Files are missing, or have another form.
        TooManyRejectsError: Too many items of a file could not be read.
    """
    if isinstance(params, HubParams):
        reader = QuestionReader(tally)
        splits = read_hub(source.root if source else None, reader, params)
    else:
        assert source is not None
        reader = files = QuestionFiles(source.root, tally)
        splits = read_files(files, params)
    reader.check_rejects(params.max_reject_share)
    return splits


def read_files(files: QuestionFiles, params: FileParams) -> Splits:
    """Read a question set that is read from its files.

    Raises:
        QuestionError: Files are missing, or have another form.
    """
    match params:
        case CommonsenseQAParams():
            return read_commonsenseqa(files, params)
        case OpenBookQAParams():
            return read_openbookqa(files, params)
        case RiddleSenseParams():
            return read_riddlesense(files, params)
        case ArcParams():
            return read_arc(files, params)
        case QascParams():
            return read_qasc(files, params)
        case SocialIQAParams():
            return read_socialiqa(files)
        case PiqaParams():
            return read_piqa(files, params)
        case MedQAParams():
            return read_medqa(files, params)
        case MedMCQAParams():
            return read_medmcqa(files, params)
        case PubMedQAParams():
            return read_pubmedqa(files)
        case BioASQParams():
            return read_bioasq(files)
        case OwnFilesParams():
            return read_own_files(files)
