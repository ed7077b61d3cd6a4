"""The stage that generates questions."""

from itertools import islice
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from dragon_core.artifacts import (
    Artifact,
    ArtifactReference,
    Draft,
    ExternalFiles,
    Inputs,
    Parameters,
    Progress,
    Stage,
)
from dragon_core.corpus import HOLDOUT_NAME
from dragon_core.graph.wordnet.files import read_wordnet
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.generated import generate_questions
from dragon_core.qa.schema import QUESTIONS, SPLITS, split_name

# What a reader of results on them should know.
ABOUT = (
    "The questions were generated from the dictionary: a definition, and which concept it defines; the distractors are"
    " its siblings. No definition that is asked, in any split, was read in pretraining. The graph keeps all its edges,"
    " those of the asked concepts included: they are what the model may reason with."
)


class QuestionParams(Parameters):
    """How many questions are generated."""

    source: Literal["generated"] = "generated"

    num_choices: int = Field(5, ge=2, le=10, description="Choices of a question.")
    train: int = Field(1500, ge=1, description="Questions to fine-tune on, at most.")
    dev: int = Field(300, ge=1, description="Questions to choose the best epoch on.")
    test: int = Field(600, ge=1, description="Questions to report on.")
    seed: int = Field(0, ge=0, description="Decides distractors and splits.")


def check_corpus(corpus: Artifact) -> None:
    """Refuse a corpus that no questions can be generated from.

    Raises:
        QuestionError: It is not of WordNet.
    """
    read = corpus.manifest.params["source"]
    if read != "wordnet":
        raise QuestionError(
            f"Questions are generated from a corpus of WordNet, and {corpus.reference} was read from the source"
            f" {read!r}; name a question set instead, a published one or your own (docs/questions.md)."
        )


class GenerateQuestions(Stage):
    """Questions about the definitions that the corpus held out, in three splits."""

    name = "questions"
    version = 3
    source: ExternalFiles
    corpus: ArtifactReference
    params: QuestionParams = QuestionParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write a table a split; test and dev are filled first.

        Raises:
            QuestionError: The corpus is not WordNet, or its held-out definitions give too few questions.
        """
        check_corpus(inputs.corpus)
        held_out = pq.read_table(inputs.corpus.path(HOLDOUT_NAME), columns=["doc_id"])["doc_id"].to_pylist()
        params = self.params
        generated = generate_questions(read_wordnet(self.source.root), held_out, params.num_choices, params.seed)
        sizes = {"test": params.test, "dev": params.dev, "train": params.train}
        splits = {split: list(islice(generated, size)) for split, size in sizes.items()}
        if not splits["train"]:
            found = sum(map(len, splits.values()))
            raise QuestionError(
                f"{len(held_out)} held-out definitions gave {found} questions, none of them left to train on; raise the"
                " corpus' holdout_share, or ask for fewer dev and test questions."
            )
        for split in SPLITS:
            rows = [vars(question) for question in splits[split]]
            draft.write_table(split_name(split), pa.Table.from_pylist(rows, schema=QUESTIONS))
            draft.count(**{split: len(rows)})
