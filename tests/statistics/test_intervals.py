"""Intervals against scipy, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gate.statistics.errors import Undefined
from gate.statistics.intervals import delong, mean_interval, paired_shares_interval, wilson

confidences = st.sampled_from([0.5, 0.9, 0.95, 0.999])


@settings(max_examples=60)
@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), confidences)
def test_wilson_is_that_of_scipy(counts, confidence):
    low, high = wilson(*counts, confidence)
    expected = stats.binomtest(*counts).proportion_ci(confidence, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1
    assert low < high


def test_wilson_of_none_and_of_all_meets_the_edge_and_has_a_width():
    assert wilson(0, 100, 0.95) == (0.0, pytest.approx(0.036993, abs=1e-6))
    assert wilson(100, 100, 0.95) == (pytest.approx(0.963007, abs=1e-6), 1.0)


def test_wilson_without_rows_is_undefined():
    with pytest.raises(Undefined) as raised:
        wilson(0, 0, 0.95)
    assert str(raised.value) == "no rows"


@pytest.mark.parametrize(("successes", "rows", "confidence"), [(-1, 5, 0.95), (6, 5, 0.95), (1, 5, 0.0), (1, 5, 1.0)])
def test_impossible_counts_and_confidences_are_bugs(successes, rows, confidence):
    with pytest.raises(ValueError) as raised:
        wilson(successes, rows, confidence)
    assert not isinstance(raised.value, Undefined)


@settings(max_examples=60)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50), confidences)
def test_the_interval_of_a_mean_is_that_of_student(rows, confidence):
    x = np.array(rows)
    low, high = mean_interval(x.sum(), (x**2).sum(), len(x), confidence)
    reach = stats.t.ppf((1 + confidence) / 2, len(x) - 1) * stats.sem(x)
    assert (low, high) == pytest.approx((x.mean() - reach, x.mean() + reach), rel=1e-6, abs=1e-4)


def test_one_row_has_no_interval_of_a_mean():
    with pytest.raises(Undefined) as raised:
        mean_interval(3.0, 9.0, 1, 0.95)
    assert str(raised.value) == "an interval of a mean needs at least 2 rows, got 1"


def delong_by_pairs(positives, negatives):
    """The variance of DeLong from the matrix of all pairs."""
    psi = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    return psi.mean(), psi.mean(1).var(ddof=1) / len(positives) + psi.mean(0).var(ddof=1) / len(negatives)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=4, max_size=60))
def test_delong_is_the_formula_over_all_pairs(parts, rows):
    truth, score = np.array([r[0] for r in rows]), np.array([r[1] / 20 for r in rows])
    if min(truth.sum(), (~truth).sum()) < 2:
        return
    area, variance = delong_by_pairs(score[truth], score[~truth])
    if variance < 1e-12:
        return
    reach = stats.norm.ppf(0.975) * np.sqrt(variance)
    low, high = delong(parts.scores(truth, score, exact=True), 0.95)
    assert (low, high) == pytest.approx((max(area - reach, 0), min(area + reach, 1)), abs=1e-9)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_perfect_ranking_still_has_a_width(reverse, parts):
    score = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    truth = (score > 0.5) != reverse
    low, high = delong(parts.scores(truth, score), 0.95)
    assert (low, high) == wilson(0 if reverse else 3, 3, 0.95)


def test_one_row_of_a_class_has_no_interval_of_the_area(parts):
    with pytest.raises(Undefined) as raised:
        delong(parts.scores([True, False, False], [0.9, 0.2, 0.3]), 0.95)
    assert str(raised.value) == (
        "an interval of ROC AUC needs at least 2 rows of each class, got 1 positive and 2 negative"
    )


def test_delong_holds_the_truth_about_as_often_as_it_says(parts, rng):
    true = stats.norm.cdf(1 / np.sqrt(2))
    held = 0
    for _ in range(200):
        truth = np.arange(200) < 80
        score = stats.norm.cdf(rng.normal(size=200) + truth)
        low, high = delong(parts.scores(truth, score), 0.9)
        held += low <= true <= high
    assert held / 200 == pytest.approx(0.9, abs=0.06)


def test_paired_shares_hold_the_truth_about_as_often_as_they_say(rng):
    held = 0
    for _ in range(2000):
        gains, losses, _ = rng.multinomial(150, [0.1, 0.06, 0.84])
        low, high = paired_shares_interval(gains, losses, 150, 0.9)
        held += low <= 0.04 <= high
    assert held / 2000 == pytest.approx(0.9, abs=0.03)


def test_models_that_never_differ_still_have_a_width():
    low, high = paired_shares_interval(0, 0, 40, 0.95)
    assert (low, high) == (pytest.approx(-0.066, abs=1e-3), pytest.approx(0.066, abs=1e-3))


@settings(max_examples=60)
@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 50), confidences)
def test_paired_shares_stay_within_their_range_and_mirror(gains, losses, neither, confidence):
    rows = gains + losses + neither
    low, high = paired_shares_interval(gains, losses, rows, confidence)
    assert -1 <= low < high <= 1
    assert paired_shares_interval(losses, gains, rows, confidence) == pytest.approx((-high, -low))
