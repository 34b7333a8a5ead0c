"""p-values: shown beside a distance, never compared with its limit.

They answer whether the sides differ at all, which at a million rows they always do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gate.statistics import cumulative
from gate.statistics.errors import Undefined
from gate.statistics.parts import BinCounts, ValueCounts


@dataclass(frozen=True, slots=True)
class PValue:
    """A probability of seeing a difference at least as large between samples of one population, and the test."""

    value: float
    test: str


def p_value(reference: BinCounts | ValueCounts, current: BinCounts | ValueCounts) -> PValue:
    """Test whether two sides of a column, both numeric or both categorical, come from one population.

    Raises:
        Undefined: a side has no values, or a list of categories was cut.
    """
    if isinstance(reference, BinCounts) and isinstance(current, BinCounts):
        for counts, side in ((reference, "reference"), (current, "current")):
            if not counts.finite:
                raise Undefined(f"no finite value in {side}", rows=current.rows)
        return kolmogorov_smirnov(
            cumulative.ks(reference, current)[0],
            reference.finite + reference.infinite, current.finite + current.infinite,
        )  # fmt: skip
    if isinstance(reference, ValueCounts) and isinstance(current, ValueCounts):
        return chi_square(reference, current)
    raise TypeError(f"the sides are of two kinds: {type(reference).__name__}, {type(current).__name__}")


def kolmogorov_smirnov(statistic: float, reference_rows: int, current_rows: int) -> PValue:
    """The two-sided asymptotic p-value of D. Source: scipy.stats.ks_2samp(method="asymp")."""
    from scipy.stats import kstwo  # takes about a second to load

    effective = round(reference_rows * current_rows / (reference_rows + current_rows))
    return PValue(float(np.clip(kstwo.sf(statistic, max(effective, 1)), 0.0, 1.0)), "Kolmogorov-Smirnov")


def chi_square(reference: ValueCounts, current: ValueCounts) -> PValue:
    """The p-value of Pearson's test of homogeneity on the table side x category, without continuity correction.

    Both sides are samples here; Evidently's `chisquare` takes the reference for the population.
    """
    from scipy.special import chdtrc  # loads scipy

    if reference.is_cut or current.is_cut:
        raise Undefined("not all categories are counted", rows=current.rows)
    if not reference.total or not current.total:
        raise Undefined(f"no value in {'current' if reference.total else 'reference'}", rows=current.rows)
    r, c = (dict(zip(side.values.tolist(), side.n.tolist(), strict=True)) for side in (reference, current))
    table = np.array([[r.get(value, 0), c.get(value, 0)] for value in sorted(r | c)], dtype=float)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float((np.square(table - expected) / expected).sum())
    return PValue(float(chdtrc(len(table) - 1, statistic)) if len(table) > 1 else 1.0, "chi-square")
