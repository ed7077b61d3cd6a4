"""What answers questions without any fine-tuned model, and what of it a linear model reads.

    python -m benchmarks.answer_signal [--sets openbookqa] [--store DIR]

A rule chooses the choice with the largest number: one of those that a head reads (`relevance_readout`), the similarity
of the question's and the choice's vectors, or the choice's length; the similarity also by the language models that the
cells started from after pretraining, if the store has them. The linear model is fitted to the training questions of
the cells of `benchmarks.answers`. What is measured is printed, a JSON line each.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from transformers import AutoTokenizer

from benchmarks.answer_data import ENCODER, QUESTION_SETS, provenance, write_texts
from benchmarks.answer_table import read_rows
from benchmarks.answers import ARMS, prepared, train_examples
from benchmarks.reporting import report, report_machine
from dragon_core.artifacts import Artifact, ArtifactNotFoundError, ArtifactReference, ArtifactStore, Stage, make
from dragon_core.embedding.encoder import find_encoder
from dragon_core.embedding.pooling import TextEncoder
from dragon_core.modeling import DragonForPreTraining
from dragon_core.modeling.relevance_readout import graph_numbers
from dragon_core.qa.arms import in_order, title_of
from dragon_core.qa.dataset import PreparedQuestions
from dragon_core.qa.finetuning import drawn
from dragon_core.qa.hops import Ends
from dragon_core.qa.preparation import read_choices
from dragon_core.training import Pretrain
from dragon_core.training.subgraphs import Subgraphs

Floats = npt.NDArray[np.float64]

READ_BY_THE_HEAD = (
    "mean relevance of the question's nodes",
    "mean relevance of the answer's nodes",
    "mean relevance of other nodes",
    "relevance of the answer's nodes",
    "number of the answer's nodes",
    "number of edges between question and answer",
    "relevance of the question's nodes with an edge to the answer",
    "weighted share of the question's nodes with an edge to the answer",
    "weight of the nodes that join question and answer",
    "mean relevance of the nodes that join question and answer",
)
SIMILARITY, LENGTH = "similarity of question and choice", "length of the choice"
SHARE, SEEDS = 0.1, 3
RIDGE = 1e-3


def with_numbers(questions: PreparedQuestions, encoder: TextEncoder) -> PreparedQuestions:
    """The questions, whose rows have a column for each number."""
    graphs = Subgraphs.of_table(questions.rows)
    edges = np.stack([graphs.head_node, graphs.tail_node])
    edges = np.concatenate([edges, edges[::-1]], axis=1)
    arguments = (graphs.node_graph, graphs.node_type, graphs.node_score, edges)
    read = graph_numbers(*map(torch.from_numpy, arguments), len(graphs)).double().numpy()
    lengths = [len(text) for text in questions.rows["text"].to_pylist()]
    columns = dict(zip(READ_BY_THE_HEAD, read.T, strict=True))
    columns |= {SIMILARITY: similarity(questions, encoder), LENGTH: np.array(lengths)}
    rows = questions.rows
    for name, values in columns.items():
        rows = rows.append_column(name, pa.array(values.astype(np.float64)))
    return replace(questions, rows=rows)


def similarity(questions: PreparedQuestions, encoder: TextEncoder) -> Floats:
    """[rows] cosine of the vectors of question and choice."""
    vectors = []
    for column in ("question", "text"):
        texts, of_row = np.unique(questions.rows[column].to_pylist(), return_inverse=True)
        vectors.append(encoder.embed_sorted(texts.tolist(), max_tokens=64, batch_size=64)[of_row])
    asked, chosen = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in vectors)
    cosines: Floats = (asked * chosen).sum(axis=1).astype(np.float64)
    return cosines


def pretrained_encoders(store: ArtifactStore) -> dict[str, TextEncoder]:
    """The language models that cells started from after pretraining, by arm; those that the store has."""
    references = {row["arm"]: ArtifactReference.parse(row["checkpoint"]) for row in read_rows() if row["arm"] in ARMS}
    encoders = {}
    for arm, reference in references.items():
        if reference.stage != Pretrain.name:
            continue
        try:
            folder = store.get(reference).folder
        except ArtifactNotFoundError:
            continue
        model = DragonForPreTraining.from_pretrained(folder, num_fusion_layers=-1).eval()
        encoders[arm] = TextEncoder(model.dragon.backbone, AutoTokenizer.from_pretrained(folder))
    return encoders


def numbers_of(questions: PreparedQuestions, names: Sequence[str]) -> Floats:
    """[rows, names] the numbers of questions that have them."""
    return np.stack([questions.rows[name].to_numpy() for name in names], axis=1)


def accuracy(scores: Floats, questions: PreparedQuestions) -> float:
    """The share of questions whose right choice has the largest of [rows] scores; ties count by their chance."""
    largest = np.maximum.reduceat(scores, questions.offsets[:-1])
    is_largest = scores == np.repeat(largest, questions.num_rows)
    ties = np.add.reduceat(is_largest.astype(np.int64), questions.offsets[:-1])
    return float(np.mean(is_largest[questions.right_rows] / ties))


def fitted(questions: PreparedQuestions, names: Sequence[str]) -> Floats:
    """[names] weights of a logistic regression that chooses among the choices of each question."""
    rows = torch.from_numpy(numbers_of(questions, names)).unflatten(0, (len(questions), -1))
    answers = torch.from_numpy(questions.answers)
    weights = torch.zeros(len(names), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(rows @ weights, answers) + RIDGE * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weights.detach().numpy()


def joined_by_an_edge(questions: PreparedQuestions) -> tuple[float, float]:
    """The share of right choices, and of wrong ones, that an edge joins with the question."""
    each = [np.full(len(questions), number) for number in range(questions.num_rows[0])]
    by_choice = np.stack([Ends(replace(questions, answers=answers)).are_neighbours for answers in each], axis=1)
    is_right = questions.answers[:, None] == np.arange(len(each))
    return float(by_choice[is_right].mean()), float(by_choice[~is_right].mean())


def measure(name: str, artifact: Artifact, encoder: TextEncoder, pretrained: Mapping[str, TextEncoder]) -> None:
    """Print what rules and linear models answer of a set of questions."""
    report_number = partial(report, prepared=str(artifact.reference))
    train, dev, test = (PreparedQuestions.of(read_choices(artifact, split)) for split in ("train", "dev", "test"))
    draws = [drawn(train, train_examples(name, SHARE), seed) for seed in range(SEEDS)]
    learnt = [with_numbers(draw, encoder) for draw in draws]
    dev, test = with_numbers(dev, encoder), with_numbers(test, encoder)
    right, wrong = joined_by_an_edge(test)
    report_number(f"{name}, right choices that an edge joins", right, "share", len(test), wrong_choices=round(wrong, 4))
    for rule in (*READ_BY_THE_HEAD, LENGTH, SIMILARITY):
        of_test, of_dev = (accuracy(numbers_of(split, [rule])[:, 0], split) for split in (test, dev))
        report_number(f"{name}, largest {rule}", of_test, "accuracy", len(test), dev=round(of_dev, 4))
    for arm in in_order(pretrained):
        of_test, of_dev = (accuracy(similarity(split, pretrained[arm]), split) for split in (test, dev))
        described = f"{name}, the same after pretraining: {title_of(arm)}"
        report_number(described, of_test, "accuracy", len(test), dev=round(of_dev, 4))
    for title, names in (
        ("what the head reads", READ_BY_THE_HEAD),
        ("that and similarity", (*READ_BY_THE_HEAD, SIMILARITY)),
    ):
        found = [accuracy(numbers_of(test, names) @ fitted(questions, names), test) for questions in learnt]
        described = f"{name}, linear model of {title}, {SHARE:.0%} of training"
        report_number(
            described, float(np.mean(found)), "accuracy", len(test), seeds=[round(value, 4) for value in found]
        )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=list(QUESTION_SETS), default=list(QUESTION_SETS))
    parser.add_argument("--store", default=".dragon/answers")
    arguments = parser.parse_args()
    store = ArtifactStore(arguments.store)

    def now(stage: Stage) -> ArtifactReference:
        return make(stage, store).reference

    encoder, pretrained = TextEncoder.load(find_encoder(ENCODER).root), pretrained_encoders(store)
    origin = provenance(write_texts(Path(f"{store.url}-texts")), now)
    report_machine()
    for name in arguments.sets:
        measure(name, store.get(prepared(name, origin, now)), encoder, pretrained)


if __name__ == "__main__":
    main()
