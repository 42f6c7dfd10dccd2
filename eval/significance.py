"""Whether a difference between two systems could be chance, and how sure a mean is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.errors import UsageError

_BATCH = 1000  # random rows drawn at once: bounds the memory, not the result


def paired_randomisation(
    a: Sequence[float], b: Sequence[float], *, rounds: int = 10_000, seed: int = 0
) -> float:
    """Two-sided p of the paired randomisation test on the mean difference (Fisher, 1935).

    If the systems do not differ, the sign of each query's difference is chance: signs are flipped
    at random and p = (1 + flips at least as extreme) / (1 + rounds). Recommended for retrieval by
    Smucker, Allan and Carterette (CIKM 2007).

    Args:
        a, b: values of the same queries in the same order.

    Raises:
        UsageError: different lengths, no values, or a value that is no finite number.
    """
    first, second = _values(a), _values(b)
    if len(first) != len(second):
        raise UsageError(f"cannot pair {len(first)} values with {len(second)}")
    differences = first - second
    observed = abs(differences.sum())
    # Sums of the same numbers in another order differ in the last bits; those are ties.
    tolerance = 1e-12 * max(1.0, float(np.abs(differences).sum()))
    generator = np.random.default_rng(seed)
    extreme = 0
    for start in range(0, rounds, _BATCH):
        size = (min(_BATCH, rounds - start), len(differences))
        signs = generator.integers(0, 2, size=size, dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ differences) >= observed - tolerance).sum())
    return (1 + extreme) / (1 + rounds)


def holm(p: Sequence[float]) -> list[float]:
    """p values corrected for the number of comparisons (Holm, 1979), in the given order.

    Raises:
        UsageError: a value outside 0..1.
    """
    if any(not 0 <= value <= 1 for value in p):
        raise UsageError("a p value lies between 0 and 1")
    corrected = [0.0] * len(p)
    highest = 0.0
    for done, position in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        highest = max(highest, min(1.0, (len(p) - done) * p[position]))
        corrected[position] = highest
    return corrected


def bootstrap_interval(
    values: Sequence[float], *, level: float = 0.95, rounds: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the mean: queries are drawn with replacement (Efron, 1979).

    Raises:
        UsageError: no values, one that is no finite number, or a level not between 0 and 1.
    """
    if not 0 < level < 1:
        raise UsageError(f"level {level} does not lie between 0 and 1")
    found = _values(values)
    generator = np.random.default_rng(seed)
    means = np.concatenate(
        [
            found[
                generator.integers(0, len(found), size=(min(_BATCH, rounds - start), len(found)))
            ].mean(axis=1)
            for start in range(0, rounds, _BATCH)
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _values(given: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise UsageError("expected finite numbers, at least one")
    return values
