"""p-values, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gate.statistics.errors import Undefined
from gate.statistics.significance import PValue, p_value


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.5, 5.0])
def test_numeric_columns_have_the_p_value_of_kolmogorov_and_smirnov(shift, parts, rng):
    reference, current = rng.integers(0, 60, 900), rng.integers(0, 60, 400) + shift * 17 // 1
    mine = p_value(*parts.sides(reference, current))
    expected = stats.ks_2samp(reference, current, method="asymp").pvalue
    assert mine == PValue(pytest.approx(expected, abs=1e-12), "Kolmogorov-Smirnov")


def test_a_constant_reference_has_the_usual_p_value(parts):
    reference, current = [1.0] * 50, [1.0] * 49 + [2.0]
    assert p_value(*parts.sides(reference, current)).value == pytest.approx(1.0)


@settings(max_examples=100)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=60), st.lists(st.sampled_from("abcd"), min_size=1))
def test_categories_have_the_p_value_of_pearson(parts, reference, current):
    mine = p_value(parts.values(reference), parts.values(current))
    table = [[side.count(value) for value in sorted({*reference, *current})] for side in (reference, current)]
    expected = stats.chi2_contingency(table, correction=False).pvalue if len(table[0]) > 1 else 1.0
    assert mine == PValue(pytest.approx(expected, abs=1e-12), "chi-square")


def test_says_why_there_is_none(parts):
    complete, cut = parts.values("aabbc"), parts.values("aabbc", cap=2)
    for sides, reason in (((complete, cut), "not all categories are counted"),
                          ((complete, parts.values([None])), "no value in current"),
                          ((parts.values([None]), complete), "no value in reference")):  # fmt: skip
        with pytest.raises(Undefined) as raised:
            p_value(*sides)
        assert str(raised.value) == reason
    with pytest.raises(Undefined) as empty:
        p_value(*parts.sides([1.0, 2.0], [np.nan]))
    assert str(empty.value) == "no finite value in current"
    with pytest.raises(TypeError):
        p_value(complete, parts.bins(np.arange(3.0)))
