"""The stage that generates questions."""

from itertools import islice
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from dragon_core.artifacts import ArtifactReference, Draft, ExternalFiles, Inputs, Parameters, Progress, Stage
from dragon_core.corpus import HOLDOUT_NAME
from dragon_core.graph import KnowledgeGraph
from dragon_core.graph.wordnet.files import read_wordnet
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.generated import generate_questions
from dragon_core.qa.question import Question
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


class GenerateQuestions(Stage):
    """Questions about the definitions that the corpus held out, in three splits."""

    name = "questions"
    version = 2
    source: ExternalFiles
    corpus: ArtifactReference
    graph: ArtifactReference
    params: QuestionParams = QuestionParams()

    def finish(self, inputs: Inputs, draft: Draft, progress: Progress) -> None:
        """Write a table a split; test and dev are filled first.

        Raises:
            QuestionError: The held-out definitions give too few questions.
        """
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
        graph = KnowledgeGraph.open(inputs.graph.folder)
        draft.write_json("baselines.json", choice_only_baselines(splits["test"], graph))


def choice_only_baselines(questions: list[Question], graph: KnowledgeGraph) -> dict[str, float]:
    """Accuracy of rules that do not read the question: near chance, unless the choices give the answer away."""
    degrees = graph.degrees

    def accuracy(scores: list[list[float]]) -> float:
        hits = [int(np.argmax(s)) == question.answer for s, question in zip(scores, questions, strict=True)]
        return float(np.mean(hits))

    lengths = [[float(len(choice)) for choice in question.choices] for question in questions]
    ids = graph.ids_by_name
    connected = [[float(degrees[ids[c]]) if c in ids else 0.0 for c in question.choices] for question in questions]
    return {
        "chance": 1 / len(questions[0].choices) if questions else 0.0,
        "longest choice": accuracy(lengths),
        "shortest choice": accuracy([[-length for length in row] for row in lengths]),
        "most connected choice": accuracy(connected),
        "least connected choice": accuracy([[-degree for degree in row] for row in connected]),
    }
