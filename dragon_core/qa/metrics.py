"""How accurate systems are, how much they differ, and how sure that is.

Two things are chance: which questions are asked, and which seed a system was fine-tuned with. Both are resampled, as
in the Multi-Bootstrap (Sellam et al., The MultiBERTs, ICLR 2022): a resampling draws as many questions as there are,
the same for all systems, and for each system as many of its runs as it has. Of systems with one run each, it is the
paired bootstrap over questions (Efron, 1979).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# [runs, questions]: which questions each run of a system answers correctly.
Hits = npt.NDArray[np.bool_]
Float64s = npt.NDArray[np.float64]

CONFIDENCE = 0.95
# So many resamplings of the questions are in memory at once.
RESAMPLINGS_AT_ONCE = 200
# Far finer than the steps of an accuracy, far coarser than rounding.
DECIMALS = 12


def compare(hits: Mapping[str, Hits], subject: str, samples: int, seed: int) -> dict[str, Any]:
    """Accuracies of systems on the same questions, and how far one of them is ahead of each other.

    Args:
        hits: [runs, questions] of each system; the runs may differ in number, the questions may not.
        subject: The system that is compared with all others.
        samples: Resamplings.
        seed: Of the resampling.

    Returns:
        `questions`; `arms`, by system, as of `accuracy`; `leads`, by other system, as of `lead`.
    """
    resampled = resampled_accuracies(hits, samples, np.random.default_rng(seed))
    others = [arm for arm in hits if arm != subject]
    return {
        "questions": hits[subject].shape[1],
        "arms": {arm: accuracy(hits[arm], resampled[arm]) for arm in hits},
        "leads": {arm: lead(hits[subject], hits[arm], resampled[subject] - resampled[arm]) for arm in others},
    }


def resampled_accuracies(hits: Mapping[str, Hits], samples: int, random: np.random.Generator) -> dict[str, Float64s]:
    """[samples] mean accuracies of each system when questions and runs are drawn with replacement.

    Resampling b draws questions q_1..q_n, one list for all systems, and runs r_1..r_m of each system with m runs, and
    gives the system sum_ij hits[r_i, q_j] / (m n).

    Args:
        hits: [runs, questions] of each system, on the same questions.
        samples: Resamplings.
        random: Where the draws come from.
    """
    runs = np.concatenate(list(hits.values())).astype(np.float64)
    questions = runs.shape[1]
    # Whole numbers until they are divided once, so that what is equal is equal, and a tie is 0.
    of_runs = np.empty((samples, len(runs)))
    for start in range(0, samples, RESAMPLINGS_AT_ONCE):
        drawn = of_runs[start : start + RESAMPLINGS_AT_ONCE]
        # Counting how often each question is drawn is much faster than gathering what is drawn.
        draws = random.integers(questions, size=(len(drawn), questions)) + questions * np.arange(len(drawn))[:, None]
        counts = np.bincount(draws.ravel(), minlength=draws.size).reshape(draws.shape)
        drawn[:] = counts @ runs.T
    resampled, first = {}, 0
    for arm in hits:
        count = len(hits[arm])
        draws = random.multinomial(count, np.full(count, 1 / count), size=samples)
        resampled[arm] = (draws * of_runs[:, first : first + count]).sum(axis=1) / (count * questions)
        first += count
    return resampled


def interval(resampled: Float64s) -> tuple[float, float]:
    """95% percentile interval: the middle of the [samples] resampled values."""
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def accuracy(hits: Hits, resampled: Float64s) -> dict[str, Any]:
    """Mean accuracy over runs: `accuracy`, `low` and `high` of its interval, `runs`, and their `deviation`.

    Args:
        hits: [runs, questions].
        resampled: [samples] of `resampled_accuracies`.

    Returns:
        `deviation` is the standard deviation of the runs' accuracies (of a sample: divided by runs - 1); None of one.
    """
    runs = hits.mean(axis=1)
    low, high = interval(resampled)
    return {
        "accuracy": float(runs.mean()),
        "low": low,
        "high": high,
        "deviation": float(runs.std(ddof=1)) if len(runs) > 1 else None,
        "runs": runs.tolist(),
    }


def lead(first: Hits, second: Hits, resampled: Float64s) -> dict[str, Any]:
    """How much more accurate the first of two systems is: `difference`, `low`, `high`, `p_value`, and its `test`.

    Args:
        first: [runs, questions].
        second: [runs of the second, questions], the same questions.
        resampled: [samples] of the difference of `resampled_accuracies`.

    Returns:
        The p-value is that of the exact test of McNemar if both have one run, and of the bootstrap if not; two-sided.
    """
    low, high = interval(resampled)
    one_each = len(first) == len(second) == 1
    return {
        "difference": float(first.mean() - second.mean()),
        "low": low,
        "high": high,
        "test": "McNemar" if one_each else "bootstrap",
        "p_value": mcnemar(first[0], second[0]) if one_each else bootstrap_p_value(resampled),
    }


def mcnemar(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Two-sided p-value of the exact test of McNemar (1947): is one of two runs right more often than the other?

    Of the questions that only one of the two answers correctly, each is as likely to be the first's as the second's if
    they are equally good.

    Args:
        first: [questions] which ones the first run answers correctly.
        second: [questions] likewise.
    """
    from scipy.stats import binomtest

    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    if only_first + only_second == 0:
        return 1.0
    return float(binomtest(only_first, only_first + only_second, 0.5).pvalue)


def bootstrap_p_value(resampled: Float64s) -> float:
    """Two-sided p-value of a difference being 0: 1 - the widest percentile interval that does not hold 0.

    p = min(1, 2 (1 + min(#{d <= 0}, #{d >= 0})) / (samples + 1)): the interval's inversion (Efron & Tibshirani, 1993,
    section 15.4), with 1 added so that it is never 0 (Davison & Hinkley, 1997, section 4.2).

    Args:
        resampled: [samples] resampled differences.
    """
    rarer = min(int((resampled <= 0).sum()), int((resampled >= 0).sum()))
    return min(1.0, 2 * (1 + rarer) / (len(resampled) + 1))


def mean_lead(sets: Sequence[tuple[Hits, Hits]], samples: int, seed: int) -> dict[str, float]:
    """How far one system is ahead of another in the mean over data sets, each of which counts the same.

    The sets are resampled independently of one another; the questions of a set are the same for both systems.

    Args:
        sets: [runs, questions] of the first and of the second system, for each data set.
        samples: Resamplings.
        seed: Of the resampling.

    Returns:
        `difference`, `low` and `high` of its interval, and `p_value` of the bootstrap.
    """
    randoms = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(len(sets))]
    resampled = np.zeros(samples)
    for (first, second), random in zip(sets, randoms, strict=True):
        drawn = resampled_accuracies({"first": first, "second": second}, samples, random)
        resampled += drawn["first"] - drawn["second"]
    # So that leads that cancel out give 0.
    resampled = np.round(resampled / len(sets), DECIMALS)
    low, high = interval(resampled)
    difference = float(np.mean([first.mean() - second.mean() for first, second in sets]))
    return {"difference": difference, "low": low, "high": high, "p_value": bootstrap_p_value(resampled)}
