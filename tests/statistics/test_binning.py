"""Bins of numeric columns."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.statistics.binning import picture_edges, quantile_edges, reference_bins, shares, sturges_edges
from gate.statistics.distances import Distance, numeric_distance


def test_cuts_a_continuous_column_at_its_deciles(parts, rng):
    rows = rng.lognormal(size=50_000)
    edges = quantile_edges(parts.bins(rows))
    assert (edges[0], edges[-1]) == (-math.inf, math.inf)
    assert edges[1:-1] == pytest.approx(np.quantile(rows, np.arange(0.1, 1, 0.1)), rel=5e-3)


@settings(max_examples=100)
@given(st.lists(st.integers(-40, 40), min_size=1, max_size=80), st.lists(st.integers(-60, 60), min_size=1, max_size=80))
def test_counts_between_the_edges_are_exact(parts, reference, current):
    sides = parts.sides(reference, current)
    edges = quantile_edges(sides[0])
    for rows, side in ((reference, sides[0]), (current, sides[1])):
        assert shares(side, edges) == pytest.approx(np.histogram(rows, edges)[0] / len(rows))


def test_a_value_that_is_more_than_a_bin_stands_alone(parts, rng):
    rows = np.where(rng.random(10_000) < 0.6, 0.0, rng.gamma(2, 2, 10_000))
    side = parts.bins(rows)
    edges = quantile_edges(side)
    at = max(i for i, edge in enumerate(edges) if edge <= 0)
    assert edges[at + 1] < 0.01
    assert shares(side, edges)[at] == pytest.approx((rows == 0).mean(), abs=1e-3)
    negative = rows.copy()
    negative[rows == 0] = -1.0  # on the other side of the lone bin
    assert numeric_distance("tvd", side, parts.bins(negative, side.grid)).value == pytest.approx((rows == 0).mean())


def test_a_column_of_few_values_has_a_bin_for_each_and_one_for_all_others(parts):
    reference, current = parts.sides([1, 1, 2, 3], [1, 2, 2.5, 7, math.inf])
    pair = reference_bins(reference, current)
    assert pair.reference.tolist() == [0, 2, 1, 1, 0, 0]  # minus infinity, 1, 2, 3, others, infinity
    assert pair.current.tolist() == [0, 1, 1, 0, 2, 1]
    assert pair.farthest is None


def test_twenty_values_are_few_and_twenty_one_are_not(parts):
    for values, bins in ((20, 20 + 3), (21, 10 + 2)):
        side = parts.bins(np.repeat(np.arange(values), 10))
        assert len(reference_bins(side, side).reference) == bins


def test_values_too_close_to_be_told_apart_widen_the_bound(parts):
    reference = [0.0] * 50 + [1.0] * 50
    current = [0.0] * 30 + [1e-9] * 20 + [1.0] * 50  # one fine bin holds 0 and 1e-9
    distance = numeric_distance("tvd", *parts.sides(reference, current))
    assert distance == Distance(0.0, 0.5)
    apart = numeric_distance("tvd", *parts.sides(reference, [1e-9] * 50 + [1.0] * 50))
    assert apart == Distance(0.5)


@settings(max_examples=150)
@given(st.data())
def test_sturges_edges_are_those_of_numpy(parts, data):
    values = data.draw(st.sampled_from([st.integers(-(10**6), 10**6), st.integers(0, 9), st.floats(-1e6, 1e6)]))
    reference, current = (np.array(data.draw(st.lists(values, min_size=1, max_size=50))) for _ in range(2))
    edges = sturges_edges(*parts.sides(reference, current))
    expected = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
    assert edges == pytest.approx(expected, rel=1e-9, abs=1e-6 * float(np.ptp(expected)))
    assert edges[0] <= expected[0]
    assert edges[-1] >= expected[-1]


def test_integers_with_nulls_are_floats_to_pandas(parts):
    side = parts.bins([0, 1, 2], nulls=0)
    assert sturges_edges(side, side) == pytest.approx((0, 1, 2))
    with_null = parts.bins([0, 1, 2], side.grid, nulls=1)
    assert len(sturges_edges(side, with_null)) == 5


def test_pictures_show_the_bulk_and_not_the_outlier(parts, rng):
    reference, current = rng.normal(size=5000), np.append(rng.normal(2, 1, 4999), 1e9)
    sides = parts.sides(reference, current)
    edges = picture_edges(*sides)
    assert len(edges) == 31
    assert edges[0] > -5
    assert edges[-1] < 7
    for rows, side in ((reference, sides[0]), (current, sides[1])):
        assert shares(side, edges) == pytest.approx(np.histogram(rows, edges)[0] / 5000, abs=2e-3)


@pytest.mark.parametrize("rows", [[5.0], [0.0] * 9, [1e300, -1e300], [-8e307, 8e307], [1e-300, 2e-300]])
def test_pictures_of_extreme_columns_have_ascending_finite_edges(rows, parts):
    side = parts.bins(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        edges = picture_edges(side, side)
        drawn = shares(side, edges)
    assert all(math.isfinite(edge) for edge in edges)
    assert list(edges) == sorted(set(edges))
    assert 0 < sum(drawn) <= 1 + 1e-9


def test_shares_of_nothing_are_nothing(parts):
    assert shares(parts.bins([math.nan]), (0.0, 1.0)) == ()
    assert shares(parts.bins([math.inf, 0.5]), (0.0, 1.0)) == (0.5,)
