"""Accuracy and how sure it is."""

import numpy as np
import numpy.typing as npt

Hits = npt.NDArray[np.bool_]
CONFIDENCE = 0.95


def bootstrap_interval(values: npt.NDArray[np.float64], samples: int, seed: int) -> tuple[float, float]:
    """95% percentile interval of the mean, by resampling with replacement (Efron, 1979).

    Args:
        values: [n] one a question; for the difference of two systems, their difference on each question.
        samples: Resamplings.
        seed: Of the resampling.
    """
    random = np.random.default_rng(seed)
    # What resampling n values draws of each distinct one is multinomial, so no values need to be gathered.
    distinct, counts = np.unique(values, return_counts=True)
    draws = random.multinomial(len(values), counts / len(values), size=samples)
    low, high = np.quantile(draws @ distinct / len(values), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def accuracy_with_interval(hits: Hits, samples: int, seed: int) -> dict[str, float]:
    """Accuracy and its 95% interval."""
    low, high = bootstrap_interval(hits.astype(np.float64), samples, seed)
    return {"accuracy": float(hits.mean()), "low": low, "high": high}


def difference_with_interval(first: Hits, second: Hits, samples: int, seed: int) -> dict[str, float]:
    """How much more accurate the first of two systems is on the same questions, with the 95% interval (paired)."""
    values = first.astype(np.float64) - second.astype(np.float64)
    low, high = bootstrap_interval(values, samples, seed)
    return {"difference": float(values.mean()), "low": low, "high": high}
