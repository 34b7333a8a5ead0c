"""Gaps and quiet days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.statistics.errors import Undefined
from gate.statistics.parts import TimelineCounts
from gate.statistics.timeline import Gap, QuietDay, fewest_rows_a_day, largest_gap

HOUR, DAY = 3600, 86_400


@settings(max_examples=100)
@given(st.lists(st.integers(0, 10 * DAY), min_size=2, max_size=80), st.sampled_from([60, HOUR, DAY]))
def test_the_longest_gap_lies_within_the_bound(parts, times, width):
    true = np.diff(np.sort(times)).max()
    gap = largest_gap(parts.timeline(times, width))
    assert gap.seconds <= true <= gap.seconds + gap.bound
    assert gap.start <= gap.end


def test_a_gap_between_stretches_is_exact(parts):
    gap = largest_gap(parts.timeline([0, 10, 20, 5 * HOUR, 5 * HOUR + 5], HOUR))
    assert gap == Gap(5 * HOUR - 20, 0.0, 20.0, 5.0 * HOUR)


def test_a_gap_inside_a_stretch_of_two_rows_is_exact(parts):
    assert largest_gap(parts.timeline([0, 3000, 3600], HOUR)) == Gap(3000.0, 0.0, 0.0, 3000.0)


@pytest.mark.parametrize("times", [[], [5]])
def test_less_than_two_times_have_no_gap(times, parts):
    with pytest.raises(Undefined) as raised:
        largest_gap(parts.timeline(times, HOUR))
    assert str(raised.value) == f"a gap needs at least 2 rows with a time, got {len(times)}"


def test_the_first_and_the_last_day_do_not_count(parts):
    times = [23 * HOUR, *(DAY + np.arange(5) * HOUR), *(2 * DAY + np.arange(3) * HOUR), 3 * DAY]
    assert fewest_rows_a_day(parts.timeline(times, HOUR)) == QuietDay(3, 2)


@pytest.mark.parametrize(("days", "quiet"), [([0, 2, 3, 4], 1), ([0, 1, 2, 4], 3), ([0, 4], 1), ([-5, -4, -2], -3)])
def test_a_day_without_rows_has_0(days, quiet, parts):
    assert fewest_rows_a_day(parts.timeline([day * DAY + 7 for day in days], HOUR)) == QuietDay(0, quiet)


def test_no_whole_day_is_undefined(parts):
    with pytest.raises(Undefined) as raised:
        fewest_rows_a_day(parts.timeline([0, DAY], HOUR))
    assert str(raised.value) == "no whole UTC day lies between the first and the last day with rows"
    with pytest.raises(Undefined) as empty:
        fewest_rows_a_day(parts.timeline([], HOUR))
    assert str(empty.value) == "no rows with a time"


def test_a_stretch_over_midnight_is_a_bug():
    timeline = TimelineCounts(np.array([DAY - 10.0]), np.array([DAY + 10.0]), np.array([2]), 0)
    with pytest.raises(ValueError) as raised:
        fewest_rows_a_day(timeline)
    assert str(raised.value) == "a stretch of the timeline reaches over midnight UTC"
