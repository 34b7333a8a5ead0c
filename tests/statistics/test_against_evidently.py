"""Where a distance equals Evidently's own on the same rows, and where it differs on purpose."""

from __future__ import annotations

import math
import os

import numpy as np
import pandas as pd
import pytest

os.environ["DO_NOT_TRACK"] = "true"
from evidently.legacy.calculations import stattests  # after the variable that keeps it silent
from evidently.legacy.core import ColumnType

from gate.statistics.distances import (
    BEYOND,
    FEW_VALUES,
    category_distance,
    histogram_distance,
    numeric_distance,
    sturges_edges,
    value_distance,
)

TESTS = {
    "wasserstein": stattests.wasserstein_stat_test, "jensenshannon": stattests.jensenshannon_stat_test,
    "psi": stattests.psi_stat_test, "kl": stattests.kl_div_stat_test, "hellinger": stattests.hellinger_stat_test,
}  # fmt: skip
SHARED = sorted(TESTS.keys() - {"wasserstein"})


def evidently(method, reference, current, kind=ColumnType.Numerical):
    """Evidently's number for rows as its ValueDrift sees them: without nulls and infinities."""
    sides = (pd.Series(side).replace([-math.inf, math.inf], np.nan).dropna() for side in (reference, current))
    return TESTS[method].func(*sides, kind, 0.1)[0]


def as_evidently(method, parts, reference, current):
    """`bins: evidently`, put together from parts as the evidence does."""
    sides = parts.sides(reference, current)
    exact = parts.exact(reference), parts.exact(current)
    if len(exact[0].x) <= FEW_VALUES and method != "hellinger":
        return value_distance(method, *exact).value
    distinct = len(np.union1d(exact[0].x, exact[1].x)) if method == "hellinger" else None
    edges = sturges_edges(*sides, values=distinct)
    counts = (np.histogram([x for x in rows if math.isfinite(x)], edges)[0] for rows in (reference, current))
    return histogram_distance(method, *counts).value


def columns_of(rng):
    return {
        "normal": (rng.normal(size=3000), rng.normal(0.2, 1.1, 2000)),
        "heavy tails": (rng.standard_t(1.5, 3000), rng.standard_t(1.5, 2000)),
        "integers": (rng.integers(0, 500, 3000), rng.integers(20, 540, 2000)),
        "few integers": (rng.integers(0, 30, 3000), rng.integers(0, 33, 2000)),
        "a handful of values": (rng.integers(0, 5, 3000), rng.integers(1, 7, 2000)),
        "two decimals": (rng.gamma(2, 2, 3000).round(2), rng.gamma(2, 2.2, 2000).round(2)),
        "with infinities": (np.append(rng.normal(size=3000), [math.inf, -math.inf]),
                            np.append(rng.normal(size=2000), [math.inf, -math.inf])),
    }  # fmt: skip


NAMES = list(columns_of(np.random.default_rng(0)))


@pytest.mark.parametrize("method", SHARED)
@pytest.mark.parametrize("name", NAMES)
def test_bins_evidently_is_the_number_of_evidently(method, name, parts, rng):
    reference, current = columns_of(rng)[name]
    mine = as_evidently(method, parts, reference, current)
    assert mine == pytest.approx(evidently(method, reference, current), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "with infinities"])
def test_wasserstein_is_the_number_of_evidently(name, parts, rng):
    reference, current = columns_of(rng)[name]
    mine = numeric_distance("wasserstein", *parts.sides(reference, current))
    assert abs(mine.value - evidently("wasserstein", reference, current)) <= mine.bound + 1e-9


@pytest.mark.parametrize("method", SHARED)
@pytest.mark.parametrize("new", [0.0, 0.1])
def test_categories_have_the_number_of_evidently(method, new, parts, rng):
    reference = rng.choice(list("abcde"), 3000, p=[0.5, 0.3, 0.15, 0.0499, 0.0001])
    current = np.where(rng.random(2000) < new, "new", rng.choice(list("abcd"), 2000))
    mine = category_distance(method, parts.values(reference), parts.values(current))
    assert mine.bound == 0
    assert mine.value == pytest.approx(evidently(method, reference, current, ColumnType.Categorical), abs=1e-9)


# --- where its definition hides harm ---------------------------------------------------------------------------------


def small_scale(rng):
    """Five standard deviations away, on a scale of a millionth: Evidently divides by at least 0.001."""
    return rng.normal(size=3000) * 1e-6, rng.normal(5, 1, 3000) * 1e-6


def one_outlier(rng):
    """One standard deviation away, and one value of 1e6: every other row falls in one Sturges bin."""
    return rng.normal(size=3000), np.append(rng.normal(1, 1, 2999), 1e6)


def new_infinities(rng):
    """A third of the rows turned infinite: Evidently drops them."""
    return rng.normal(size=3000), np.where(rng.random(3000) < 1 / 3, math.inf, rng.normal(size=3000))


def changed_constant(rng):
    """A reference that never varied, and a current side that does by a little."""
    return np.full(3000, 5.0), np.append(np.full(2999, 5.0), 5.05)


DIFFERENCES = [
    # method, rows, Evidently stays below its limit of 0.1, ours is at least
    ("wasserstein", small_scale, 4.9),
    ("jensenshannon", one_outlier, 0.3),
    ("psi", one_outlier, 0.5),
    ("kl", one_outlier, 0.4),
    ("hellinger", one_outlier, 0.3),
    ("wasserstein", new_infinities, BEYOND),
    ("jensenshannon", new_infinities, 0.3),
    ("psi", new_infinities, 0.5),
    ("kl", new_infinities, 0.3),
    ("hellinger", new_infinities, 0.4),
    ("wasserstein", changed_constant, BEYOND),
    ("jensenshannon", changed_constant, 0.8),
    ("psi", changed_constant, BEYOND),
    ("kl", changed_constant, BEYOND),
    ("hellinger", changed_constant, 1.0),
]


@pytest.mark.parametrize(("method", "rows", "least"), DIFFERENCES)
def test_sees_harm_that_evidently_does_not(method, rows, least, parts, rng):
    reference, current = rows(rng)
    assert evidently(method, reference, current) < 0.1
    mine = numeric_distance(method, *parts.sides(reference, current))
    assert mine.value - mine.bound >= least


def test_a_small_current_side_does_not_shrink_cramers_v(parts, rng):
    """With sides weighted by their rows, 100 of 100,000 rows that all moved would have a V of 0.03."""
    reference, current = ["a", "b"] * 50_000, ["a"] * 100
    assert category_distance("cramers_v", parts.values(reference), parts.values(current)).value > 0.5
