from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.domain.columns import Kind
from gate.domain.distances import method_names
from gate.domain.evidence import Measured, Missing
from gate.domain.need import ANY, Drift, Limit
from gate.evidence.drift import is_close_call, moved
from gate.statistics.distances import Distance
from gate.statistics.parts import ValueCounts

ROWS = 1000


@pytest.fixture(scope="module")
def pair(pair_of):
    rng = np.random.default_rng(1)
    reference = pd.DataFrame({
        "x": rng.normal(0, 1, ROWS), "c": rng.choice(["a", "b"], ROWS), "still": rng.normal(0, 1, ROWS),
        "null": pd.array([None] * ROWS, dtype="Float64"), "half": np.where(np.arange(ROWS) % 2, 1.0, np.nan),
        "typed": np.arange(ROWS), "gone": 1, "t": pd.Timestamp("2026-01-01"),
        "inf": np.where(np.arange(ROWS) % 2, np.inf, 1.0),
    })  # fmt: skip
    current = reference.assign(x=reference.x + 1, c=rng.choice(["a", "b"], ROWS, p=[0.9, 0.1]),
                               typed=reference.typed.astype(str), added=1, inf=np.inf).drop(columns="gone")  # fmt: skip
    return pair_of(reference, current)


def test_every_method_measures_and_equal_sides_are_0(pair):
    needs = [Drift(ANY, column, method) for column in ("x", "still") for method in method_names(Kind.NUMERIC)]
    needs += [Drift(ANY, "c", method) for method in method_names(Kind.CATEGORICAL)]
    for need, reading in pair.gather(*needs).evidence.items():
        assert isinstance(reading, Measured), need
        assert reading.method == need.method
        assert reading.rows == ROWS
        assert (reading.value == 0) == (need.column == "still"), need


def test_what_cannot_drift_says_why(pair):
    expected = {
        Drift(ANY, "gone", "ks"): Missing("gone is absent in current"),
        Drift(ANY, "added", "ks"): Missing("added is absent in reference"),
        Drift(ANY, "nope", "ks"): Missing("nope is absent in reference and current"),
        Drift(ANY, "null", "ks"): Missing("null is null in all 1,000 rows of reference"),
        Drift(ANY, "t", "ks"): Missing("t is timestamp; drift is measured on numeric and categorical columns"),
        Drift(ANY, "typed", "ks"): Missing("typed is numeric, but stored as VARCHAR in current"),
        Drift(ANY, "c", "ks"): Missing("c is categorical, and ks is no distance for categorical columns"),
        Drift(ANY, "x", "cosine"): Missing("x is numeric, and cosine is no distance for numeric columns"),
        Drift(ANY, "inf", "ks"): Missing("inf: no finite value in any of the 1,000 rows of current", rows=1000),
    }
    assert pair.gather(*expected).evidence == expected


def test_the_finding_can_tell_both_sides(pair):
    x, c, half = pair.gather(Drift(ANY, "x", "ks"), Drift(ANY, "c", "tvd"), Drift(ANY, "half", "ks")).evidence.values()
    assert x.details["reference"].startswith("mean -0.0")
    assert x.details["test"] == "Kolmogorov-Smirnov"
    assert x.details["p_value"] < 1e-6
    assert c.details["test"] == "chi-square"
    (name, before, after), _ = c.details["moved"]
    assert (name, round(before, 1), round(after, 1)) == ("a", 0.5, 0.9)
    assert half.rows == ROWS // 2


def test_a_limit_within_the_error_of_binning_is_decided_exactly(pair_of):
    rng = np.random.default_rng(2)
    reference, current = rng.normal(0, 1, 200_000), rng.normal(0.001, 1, 200_000)
    pair = pair_of(pd.DataFrame({"x": reference}), pd.DataFrame({"x": current}))
    rough = pair.read(Drift(ANY, "x", "ks"))
    assert rough.bound > 0
    close = Drift(Limit(max=rough.value + rough.bound / 2), "x", "ks")
    exact = pair.read(close)
    assert exact.is_exact
    ranks = np.sort(np.concatenate([reference, current]))
    expected = np.abs(np.searchsorted(np.sort(reference), ranks, "right")
                      - np.searchsorted(np.sort(current), ranks, "right")).max() / 200_000  # fmt: skip
    assert exact.value == pytest.approx(expected, abs=1e-12)
    both = pair.gather(Drift(ANY, "x", "ks"), close).evidence
    assert {(reading.value, reading.bound) for reading in both.values()} == {(exact.value, 0.0)}


def test_a_long_list_of_categories_is_counted_further_where_the_answer_hangs_on_it(pair_of):
    names = [f"v{i:05}" for i in range(3000)]
    reference, current = pd.DataFrame({"c": names * 2}), pd.DataFrame({"c": names[1000:] * 3})
    pair = pair_of(reference, current)
    rough, close, unbounded = pair.gather(
        Drift(Limit(max=2.0), "c", "hellinger"), Drift(Limit(max=0.4), "c", "tvd"), Drift(ANY, "c", "psi")
    ).evidence.values()  # fmt: skip
    assert rough.bound > 0
    assert (close.value, close.bound) == (pytest.approx(1 / 3), 0.0)
    assert unbounded.bound == 0.0


@pytest.mark.parametrize(
    ("distance", "limit", "close"),
    [
        (Distance(0.1, 0.01), Limit(max=0.1), True),
        (Distance(0.1, 0.01), Limit(max=0.109), True),
        (Distance(0.1, 0.01), Limit(max=0.111), False),
        (Distance(0.1, 0.01), Limit(max=0.08), False),
        (Distance(0.1), Limit(max=0.1), False),
        (Distance(0.1, 0.01), ANY, False),
    ],
)
def test_a_call_is_close_when_the_error_of_binning_reaches_over_the_limit(distance, limit, close):
    assert is_close_call(distance, limit) is close


def counts(**n):
    return ValueCounts(np.array(list(n), dtype=object), np.array(list(n.values())), sum(n.values()), len(n), 0)


def test_the_categories_that_moved_most_come_first_and_the_still_ones_not_at_all():
    assert moved(counts(a=4, b=4, c=2), counts(a=4, b=1, d=5)) == [["d", 0.0, 0.5], ["b", 0.4, 0.1], ["c", 0.2, 0.0]]


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_whatever_the_values_are_the_answer_is_a_finite_number_or_missing(pair_of, data):
    values = st.lists(
        st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-3, 3)), max_size=12
    )
    sides = [pd.DataFrame({"x": pd.array(data.draw(values), dtype="object")}).astype(float) for _ in range(2)]
    needs = [Drift(Limit(max=0.1), "x", method, bins) for method in method_names(Kind.NUMERIC)
             for bins in ("reference", "evidently")]  # fmt: skip
    for need, reading in pair_of(*sides).gather(*needs).evidence.items():
        match reading:
            case Measured():
                assert np.isfinite(reading.value), need
                assert reading.value >= 0
            case Missing():
                assert not reading.broken, (need, reading)
