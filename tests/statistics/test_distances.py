"""Numeric distances: against scipy on the rows, and what they promise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gate.domain.distances import METHODS
from gate.domain.part import Grid
from gate.statistics.distances import BEYOND, Distance, exact_distance, histogram_distance, numeric_distance
from gate.statistics.divergences import DIVERGENCES
from gate.statistics.errors import Undefined

BINNED = sorted(DIVERGENCES)
EVERY = sorted(METHODS)

# Rounded, because parts hold differences from the grid's centre: values closer than its rounding are one value to them.
finite = st.one_of(
    st.integers(-5, 5), st.floats(-1e3, 1e3), st.floats(-1e9, 1e9), st.sampled_from([0.0, 1e-5, 1e6])
).map(lambda x: round(float(x), 5))
columns = st.lists(finite, min_size=1, max_size=60)
with_infinities = st.lists(st.one_of(finite, st.sampled_from([math.inf, -math.inf])), min_size=1, max_size=60).filter(
    lambda rows: any(math.isfinite(x) for x in rows)
)


def columns_of(rng):
    """Pairs of columns of the shapes that break binned statistics."""
    n = 4000
    normal = rng.normal(size=n)
    return {
        "normal, moved": (normal, rng.normal(0.3, 1.0, n // 2)),
        "heavy tails": (rng.standard_t(1.5, n), rng.standard_t(1.5, n) * 1.2),
        "lognormal": (rng.lognormal(0, 2, n), rng.lognormal(0.1, 2, n)),
        "counts": (rng.poisson(30, n), rng.poisson(31, n)),
        "zeros": (np.where(rng.random(n) < 0.4, 0, rng.gamma(2, 2, n)), rng.gamma(2, 2, n).round(2)),
        "far from zero, narrow": (1e6 + normal * 1e-3, 1e6 + rng.normal(0.1, 1, n) * 1e-3),
        "tiny": (normal * 1e-200, rng.normal(0.2, 1, n) * 1e-200),
        "huge": (normal * 1e300, rng.normal(0.2, 1, n) * 1e300),
        "two values": (rng.integers(0, 2, n), rng.random(n) < 0.6),
    }


@pytest.mark.parametrize("shape", list(columns_of(np.random.default_rng(0))))
def test_holds_the_exact_wasserstein_and_ks_within_the_bound(shape, parts, rng):
    reference, current = (np.asarray(side, dtype=float) for side in columns_of(rng)[shape])
    unit = np.abs(reference).max()  # scipy, too, overflows and underflows on the raw values
    wasserstein = stats.wasserstein_distance(reference / unit, current / unit) / np.std(reference / unit)
    ks = stats.ks_2samp(reference, current, method="asymp").statistic
    sides = parts.sides(reference, current)
    for method, true, sharp in (("wasserstein", wasserstein, 2e-3), ("ks", ks, 5e-3)):
        distance = numeric_distance(method, *sides)
        assert abs(distance.value - true) <= distance.bound + 2e-9 * true
        assert distance.bound < sharp
        exact = exact_distance(method, parts.exact(reference), parts.exact(current), bins=sides)
        assert exact.bound == 0.0
        assert exact.value == pytest.approx(true, rel=1e-8)


@settings(max_examples=100)
@given(columns, columns, st.sampled_from([3, 1000]))
def test_the_exact_value_lies_within_the_bound_on_any_rows(parts, reference, current, resolution):
    std = float(np.std(reference))
    if len(set(reference)) == 1 or not std > 0:
        return
    sides = parts.sides(reference, current, resolution)
    wasserstein = min(stats.wasserstein_distance(reference, current) / std, BEYOND)
    ks = stats.ks_2samp(reference, current, method="asymp").statistic
    for method, true in (("wasserstein", wasserstein), ("ks", ks)):
        distance = numeric_distance(method, *sides)
        assert abs(distance.value - true) <= distance.bound * (1 + 1e-9) + 1e-6 * true + 1e-9


@settings(max_examples=50)
@given(with_infinities, with_infinities)
def test_is_finite_within_its_range_and_0_for_equal_sides(parts, reference, current):
    sides = parts.sides(reference, current)
    for method in EVERY:
        distance = numeric_distance(method, *sides)
        assert 0 <= distance.value <= (METHODS[method].largest or math.inf) * (1 + 1e-12)
        assert numeric_distance(method, sides[0], sides[0]).value == pytest.approx(0, abs=1e-7)


@settings(max_examples=40)
@given(st.data())
def test_row_order_and_file_splits_change_nothing(parts, data):
    reference = data.draw(with_infinities)
    current = data.draw(with_infinities)
    cut = data.draw(st.integers(0, len(current)))
    shuffled = data.draw(st.permutations(current))
    grid = parts.grid(reference)
    merged = parts.merge(parts.bins(shuffled[:cut], grid), parts.bins(shuffled[cut:], grid))
    for method in EVERY:
        whole = numeric_distance(method, parts.bins(reference, grid), parts.bins(current, grid))
        split = numeric_distance(method, parts.bins(reference, grid), merged)
        assert split.value == pytest.approx(whole.value, rel=1e-6, abs=1e-9)


@settings(max_examples=50)
@given(columns, columns)
def test_ks_is_the_same_both_ways(parts, one, other):
    if min(len(set(one)), len(set(other))) == 1:  # a constant reference is harsher
        return
    grid = parts.grid(one)
    ways = [(parts.bins(a, grid), parts.bins(b, grid)) for a, b in ((one, other), (other, one))]
    assert numeric_distance("ks", *ways[0]).value == pytest.approx(numeric_distance("ks", *ways[1]).value, abs=1e-12)


@pytest.mark.parametrize("method", EVERY)
def test_one_huge_value_does_not_hide_a_shift_of_one_standard_deviation(method, parts, rng):
    reference = rng.normal(size=5000)
    shifted = np.append(rng.normal(1.0, 1.0, 4999), 1e6)
    distance = numeric_distance(method, *parts.sides(reference, shifted))
    assert distance.value - distance.bound > 0.25


@pytest.mark.parametrize("method", EVERY)
def test_a_bigger_shift_is_a_bigger_distance(method, parts, rng):
    reference, noise = rng.normal(size=5000), rng.normal(size=5000)
    moved = [numeric_distance(method, *parts.sides(reference, noise + by)).value for by in (0, 0.2, 0.5, 1, 2)]
    assert moved == sorted(moved)
    assert moved[0] < 0.05


@pytest.mark.parametrize("method", EVERY)
def test_two_samples_of_one_population_stay_below_the_usual_limit(method, parts, rng):
    for rows in (1000, 20_000):
        sides = parts.sides(rng.lognormal(size=rows), rng.lognormal(size=rows))
        assert numeric_distance(method, *sides).value < 0.1


@pytest.mark.parametrize("method", EVERY)
def test_any_change_of_a_constant_reference_is_the_largest_distance(method, parts):
    largest = METHODS[method].largest or BEYOND
    reference = [0.1] * 1000
    assert numeric_distance(method, *parts.sides(reference, [0.1] * 10)) == Distance(0.0)
    for changed in ([0.1] * 999_999 + [0.1 + 1e-9], [0.2], [0.1, math.inf], [-1e300, 0.1]):
        assert numeric_distance(method, *parts.sides(reference, changed)) == Distance(largest)


def test_a_constant_reference_with_infinities_makes_any_change_infinitely_far(parts):
    reference = [1.0] * 99 + [math.inf]
    assert numeric_distance("wasserstein", *parts.sides(reference, reference * 2)) == Distance(0.0)
    for changed in ([1.0] * 98 + [math.inf] * 2, [1.0] * 98 + [2.0, math.inf]):
        assert numeric_distance("wasserstein", *parts.sides(reference, changed)) == Distance(BEYOND)


@pytest.mark.parametrize("method", EVERY)
@pytest.mark.parametrize("sign", [1, -1])
def test_infinities_cannot_hide(method, sign, parts, rng):
    reference, current = rng.normal(size=5000), rng.normal(size=5000)
    without = numeric_distance(method, *parts.sides(reference, current)).value
    current[:1500] = sign * math.inf
    with_them = numeric_distance(method, *parts.sides(reference, current)).value
    assert with_them > without + 0.25


def test_an_infinity_that_the_reference_never_had_is_infinitely_far(parts, rng):
    reference = np.append(rng.normal(size=5000), math.inf)
    same_sign, new_sign = (np.append(rng.normal(size=5000), x) for x in (math.inf, -math.inf))
    assert numeric_distance("wasserstein", *parts.sides(reference, same_sign)).value < 0.1
    assert numeric_distance("wasserstein", *parts.sides(reference, new_sign)) == Distance(BEYOND)


def test_one_percent_more_infinities_move_wasserstein_by_a_tenth(parts, rng):
    rows = rng.uniform(-1, 1, 10_000)
    reference, current = np.append(rows, [math.inf] * 1000), np.append(rows, [math.inf] * 1111)
    share = 1111 / 11_111 - 1000 / 11_000
    moved = numeric_distance("wasserstein", *parts.sides(reference, current)).value
    assert moved == pytest.approx(10 * share, rel=0.02)


def test_ks_counts_infinities_as_extreme_ranks(parts, rng):
    reference = np.append(rng.normal(size=900), [-math.inf] * 100)
    current = np.append(rng.normal(size=900), [math.inf] * 100)
    capped = (np.clip(side, -1e9, 1e9) for side in (reference, current))
    true = stats.ks_2samp(*capped, method="asymp").statistic
    distance = numeric_distance("ks", *parts.sides(reference, current))
    assert abs(distance.value - true) <= distance.bound + 1e-12


def test_ks_sees_infinities_that_the_first_bin_makes_up_for(parts):
    reference, current = [-math.inf] * 10 + [0.0] * 40 + [1.0] * 50, [0.0] * 50 + [1.0] * 50
    assert numeric_distance("ks", *parts.sides(reference, current)).value == pytest.approx(0.1)


def test_values_whose_difference_overflows_are_undefined(parts):
    grid = Grid(1e308)
    reference, current = parts.bins([1e308, 0.9e308], grid), parts.bins([-1.7e308], grid)
    with pytest.raises(Undefined) as raised:
        numeric_distance("wasserstein", reference, current)
    assert str(raised.value) == "values too far apart to measure: their difference overflows a double"


def test_nulls_and_nan_are_no_values(parts):
    reference = parts.bins([1.0, 2.0, 3.0])
    current = parts.bins([1.0, 2.0, 3.0, math.nan], reference.grid, nulls=50)
    for method in EVERY:
        assert numeric_distance(method, reference, current) == Distance(0.0)


@pytest.mark.parametrize("method", EVERY)
@pytest.mark.parametrize(
    ("reference", "current", "reason"),
    [
        ([], [1.0], "no rows in reference"),
        ([1.0], [], "no rows in current"),
        ([1.0, 2.0], [math.nan] * 3, "no finite value in any of the 3 rows of current"),
        ([1.0, 2.0], [math.inf] * 1200, "no finite value in any of the 1,200 rows of current"),
    ],
)
def test_a_side_without_values_is_undefined(method, reference, current, reason, parts):
    with pytest.raises(Undefined) as raised:
        numeric_distance(method, *parts.sides(reference, current))
    assert raised.value.reason == str(raised.value) == reason


def test_different_grids_and_unknown_methods_are_bugs(parts):
    side = parts.bins([1.0, 2.0], Grid())
    with pytest.raises(ValueError) as grids:
        numeric_distance("ks", side, replace(side, grid=Grid(1.0)))
    assert not isinstance(grids.value, Undefined)
    with pytest.raises(ValueError) as method:
        numeric_distance("auto", side, side)
    assert str(method.value) == f"there is no distance 'auto'; there are {', '.join(METHODS)}"


def test_exact_values_of_other_rows_are_refused(parts):
    sides = parts.sides([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ValueError) as raised:
        exact_distance("ks", parts.exact([1.0, 2.0]), parts.exact([1.0, 2.0]), bins=sides)
    assert str(raised.value) == "reference has 2 exact values but 3 binned ones"
    with pytest.raises(ValueError) as other:
        exact_distance("psi", parts.exact([1.0]), parts.exact([1.0]), bins=sides)
    assert str(other.value) == "only wasserstein and ks are refined by exact values, got 'psi'"


def test_an_exact_distance_still_sees_infinities(parts, rng):
    reference, current = rng.normal(size=100), np.append(rng.normal(size=100), math.inf)
    sides = parts.sides(reference, current)
    exact = parts.exact(reference), parts.exact(current)
    assert exact_distance("wasserstein", *exact, bins=sides) == Distance(BEYOND)
    assert exact_distance("ks", *exact, bins=sides).value > 0


def test_a_grid_too_coarse_to_tell_says_so(parts, rng):
    """Everything in one fine bin: the bound is wide, so the finding cannot be green by mistake."""
    reference, current = 1e9 + rng.normal(size=500), 1e9 + rng.normal(3.0, 1.0, 500)
    sides = parts.bins(reference, Grid()), parts.bins(current, Grid())
    ks = numeric_distance("ks", *sides)
    assert ks.value + ks.bound == 1.0
    wasserstein = numeric_distance("wasserstein", *sides)
    assert 2.9 <= wasserstein.value + wasserstein.bound < 1000


def test_a_histogram_without_rows_is_undefined():
    with pytest.raises(Undefined) as raised:
        histogram_distance("psi", np.array([1, 2]), np.array([0, 0]))
    assert str(raised.value) == "no row of current in the bins"
    with pytest.raises(ValueError):
        histogram_distance("ks", np.array([1, 2]), np.array([1, 2]))


@pytest.mark.parametrize(("value", "bound"), [(math.nan, 0.0), (math.inf, 0.0), (1.0, math.nan), (1.0, -0.1)])
def test_a_distance_is_finite(value, bound):
    with pytest.raises(ValueError):
        Distance(value, bound)
