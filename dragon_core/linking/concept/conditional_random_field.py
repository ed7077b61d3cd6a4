"""A linear-chain conditional random field over sparse binary features.

Lafferty, McCallum and Pereira, Conditional random fields, ICML 2001; trained by L-BFGS as in section 3 of Sha and
Pereira, Shallow parsing with conditional random fields, NAACL 2003.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_array

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]


@dataclass(frozen=True)
class ConditionalRandomField:
    """Weights of features and of neighbouring labels (F features, L labels).

    Attributes:
        weights: [F, L] of a feature at a token with a label.
        transitions: [L, L] of a label before another.
    """

    weights: Floats
    transitions: Floats

    def emissions(self, features: Ints) -> Floats:
        """[K, L] scores of the labels of tokens with `features` [K, J], the J features of each token."""
        return np.asarray(self.weights[features].sum(axis=1, dtype=np.float32))

    def best_labels(self, emissions: Floats, offsets: Ints) -> Ints:
        """[K] the best labels of each sequence `offsets[i]:offsets[i + 1]`, by Viterbi's algorithm."""
        steps = _Steps(offsets)
        labels: Ints = np.zeros(len(emissions), np.int64)
        if not len(steps.rows):
            return labels
        scores = emissions[steps.rows[0]]
        back: list[Ints] = []
        finals = [scores]
        for rows in steps.rows[1:]:
            paths = scores[: len(rows), :, None] + self.transitions
            back.append(paths.argmax(axis=1))
            scores = paths.max(axis=1) + emissions[rows]
            finals.append(scores)
        best: Ints = np.zeros(0, np.int64)
        for step in reversed(range(len(steps.rows))):
            count = len(steps.rows[step])
            ended = finals[step][len(best) : count].argmax(axis=1)
            if len(best):
                best = np.take_along_axis(back[step], best[:, None], 1)[:, 0]
            best = np.concatenate([best, ended])
            labels[steps.rows[step]] = best
        return labels

    @classmethod
    def trained(
        cls, features: Ints, labels: Ints, offsets: Ints, size: int, num_labels: int, penalty: float, iterations: int
    ) -> "ConditionalRandomField":
        """Maximise the labels' likelihood less `penalty` times half the squared weights.

        Args:
            features: [K, J] features of each token.
            labels: [K] label of each token.
            offsets: [S + 1] rows of the sequences.
            size: Number of features F.
            num_labels: Number of labels L.
            penalty: Weight of the squared norm.
            iterations: Of L-BFGS, at most.
        """
        used, columns = np.unique(features, return_inverse=True)
        rows = np.arange(len(features) + 1) * features.shape[1]
        matrix = csr_array((np.ones(columns.size), columns.reshape(-1), rows), shape=(len(features), len(used)))
        transposed = matrix.T.tocsr()
        gold = np.eye(num_labels)[labels]
        follows = np.ones(len(labels), bool)
        follows[offsets[:-1][np.diff(offsets) > 0]] = False
        after = np.flatnonzero(follows)
        gold_pairs = np.zeros((num_labels, num_labels))
        np.add.at(gold_pairs, (labels[after - 1], labels[after]), 1)
        split = len(used) * num_labels

        def loss(parameters: Floats) -> tuple[float, Floats]:
            weights, transitions = (
                parameters[:split].reshape(-1, num_labels),
                parameters[split:].reshape(num_labels, -1),
            )
            emissions = matrix @ weights
            total, marginals, pairs = expectations(emissions, transitions, offsets)
            likelihood = (emissions * gold).sum() + (transitions * gold_pairs).sum() - total
            slopes = [(transposed @ (marginals - gold)).reshape(-1), (pairs - gold_pairs).reshape(-1)]
            return penalty / 2 * parameters @ parameters - likelihood, np.concatenate(slopes) + penalty * parameters

        start = np.zeros(split + num_labels**2)
        solved = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations}).x
        weights = np.zeros((size, num_labels), np.float32)
        weights[used] = solved[:split].reshape(-1, num_labels)
        return cls(weights, solved[split:].reshape(num_labels, -1).astype(np.float32))


class _Steps:
    """Rows of the first tokens of all sequences, of the second ones and so on; the longest sequences come first."""

    def __init__(self, offsets: Ints) -> None:
        lengths = np.diff(offsets)
        order = np.argsort(-lengths, kind="stable")
        starts, lengths = offsets[:-1][order], lengths[order]
        self.rows = [starts[lengths > step] + step for step in range(lengths.max(initial=0))]


def expectations(emissions: Floats, transitions: Floats, offsets: Ints) -> tuple[float, Floats, Floats]:
    """What the gradient needs, by the forward and backward recursions with scaling.

    Args:
        emissions: [K, L] scores of labels.
        transitions: [L, L] scores of a label before another.
        offsets: [S + 1] rows of the sequences.

    Returns:
        Logarithm of the sum of the exponentiated scores of all labellings; [K, L] probability of each label; [L, L]
        expected number of each pair of neighbours.
    """
    steps = _Steps(offsets)
    peaks = emissions.max(axis=1)
    local = np.exp(emissions - peaks[:, None])
    jump = np.exp(transitions)
    forward, backward = np.empty_like(local), np.empty_like(local)
    scales = np.empty(len(local))
    for step, rows in enumerate(steps.rows):
        value = local[rows] if step == 0 else (forward[rows - 1] @ jump) * local[rows]
        scales[rows] = value.sum(axis=1)
        forward[rows] = value / scales[rows, None]
    pairs = np.zeros_like(jump)
    following: Ints = np.zeros(0, np.int64)
    for rows in reversed(steps.rows):
        backward[rows[len(following) :]] = 1
        if len(following):
            incoming = backward[following] * local[following] / scales[following, None]
            before = rows[: len(following)]
            backward[before] = incoming @ jump.T
            pairs += forward[before].T @ incoming
        following = rows
    return float(np.log(scales).sum() + peaks.sum()), forward * backward, pairs * jump
