"""Distances of shares, against scipy and textbook formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy
from scipy.stats.contingency import association

from gate.statistics.divergences import BOUNDED, DIVERGENCES, fill_zeros

counts = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=12).filter(
    lambda cells: all(sum(side) > 0 for side in zip(*cells, strict=True))
)


def shares_of(cells):
    return [np.array(side) / sum(side) for side in zip(*cells, strict=True)]


@given(counts)
def test_agrees_with_the_textbook(cells):
    r, c = shares_of(cells)
    both = {
        "jensenshannon": jensenshannon(r, c),
        "hellinger": math.sqrt(max(1 - np.sqrt(r * c).sum(), 0)),
        "tvd": np.abs(r - c).sum() / 2,
        "kl": entropy(fill_zeros(r), fill_zeros(c)),
        "psi": sum((a - b) * math.log(a / b) for a, b in zip(fill_zeros(r), fill_zeros(c), strict=True)),
    }
    for method, expected in both.items():
        assert DIVERGENCES[method](r, c) == pytest.approx(np.nan_to_num(expected), abs=1e-7), method


@given(st.integers(1, 10).flatmap(lambda k: st.lists(st.integers(1, 40), min_size=k, max_size=k)), st.randoms())
def test_cramers_v_is_the_usual_one_when_both_sides_have_equal_rows(rows, random):
    other = random.sample(rows, len(rows))
    table = np.array([rows, other])
    if table.shape[1] < 2:
        return
    mine = DIVERGENCES["cramers_v"](table[0] / table[0].sum(), table[1] / table[1].sum())
    assert mine == pytest.approx(association(table, method="cramer"), abs=1e-9)


@given(counts)
def test_is_symmetric_but_for_kl(cells):
    r, c = shares_of(cells)
    for method in DIVERGENCES.keys() - {"kl"}:
        assert DIVERGENCES[method](r, c) == pytest.approx(DIVERGENCES[method](c, r), abs=1e-9)


@given(counts)
def test_merging_bins_never_increases_a_bounded_distance(cells):
    r, c = shares_of(cells)
    for method in BOUNDED:
        merged = [np.append(side[2:], side[:2].sum()) for side in (r, c)]
        assert DIVERGENCES[method](*merged) <= DIVERGENCES[method](r, c) + 1e-7


def test_disjoint_shares_are_as_far_apart_as_can_be():
    r, c = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert {method: DIVERGENCES[method](r, c) for method in BOUNDED} == pytest.approx(
        {"jensenshannon": math.sqrt(math.log(2)), "hellinger": 1, "tvd": 1, "cramers_v": 1}
    )
    assert DIVERGENCES["psi"](r, c) > 10
    assert DIVERGENCES["kl"](r, c) > 5


@pytest.mark.parametrize(
    ("shares", "filled"),
    [
        ([0.5, 0.5, 0.0], [0.5, 0.5, 1e-4]),
        ([0.9999, 0.0001, 0.0], [0.9999, 0.0001, 1e-10]),  # at most 0.0001: a millionth of it
        ([0.9998, 0.0002, 0.0], [0.9998, 0.0002, 1e-4]),
        ([1.0], [1.0]),
    ],
)
def test_empty_bins_get_a_small_share(shares, filled):
    assert fill_zeros(np.array(shares)).tolist() == pytest.approx(filled, rel=1e-12)
