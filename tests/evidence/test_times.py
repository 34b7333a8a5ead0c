from __future__ import annotations

import pandas as pd
import pytest

from gate.domain.evidence import Measured, Missing
from gate.domain.need import ANY, Age, LargestGap, Limit, RowsPerDay

HOUR = 3600.0


def times(*moments):
    return pd.DataFrame({"t": pd.to_datetime(list(moments)), "x": 1.0})


@pytest.fixture(scope="module")
def pair(pair_of):
    current = times("2026-02-26 23:00", "2026-02-27 01:00", "2026-02-27 09:00", "2026-02-28 10:00", "2026-02-28 11:00",
                    "2026-03-01 09:00", None)  # fmt: skip
    return pair_of(current, current)


def test_age_is_counted_from_the_newest_row_to_now(pair):
    assert pair.read(Age(ANY, "t")) == Measured(3 * HOUR, 6, "age", details={"newest": "2026-03-01T09:00:00Z"})


def test_data_from_the_future_has_a_negative_age(pair_of):
    later = times("2026-03-01 13:00")
    assert pair_of(later, later).read(Age(ANY, "t")).value == -HOUR


def test_the_largest_gap_is_exact_where_the_limit_can_be_broken(pair):
    gap = pair.read(LargestGap(Limit(max=12 * HOUR), "t"))
    assert (gap.value, gap.bound) == (25 * HOUR, 0.0)
    assert gap.details == {"from": "2026-02-27T09:00:00Z", "until": "2026-02-28T10:00:00Z"}


def test_a_gap_is_known_to_be_within_a_limit_that_it_keeps(pair):
    gap = pair.read(LargestGap(Limit(max=30 * HOUR), "t"))
    assert gap.high <= 30 * HOUR


def test_the_thinnest_whole_day_is_named(pair):
    assert pair.read(RowsPerDay(ANY, "t")) == Measured(2.0, 6, "count", details={"day": "2026-02-27"})


def test_what_has_no_time_is_missing(pair_of):
    none = times(None, None)
    with_none, with_text = pair_of(none, none), pair_of(times("2026-03-01"), pd.DataFrame({"t": ["2026-03-01"]}))
    assert with_none.read(Age(ANY, "t")) == Missing("t is null in all 2 rows of current")
    assert with_none.read(LargestGap(ANY, "x")) == Missing("x is stored as DOUBLE in current, not as a time")
    assert with_text.read(RowsPerDay(ANY, "t")) == Missing("t is stored as VARCHAR in current, not as a time")
    assert with_text.read(Age(ANY, "nope")) == Missing("nope is absent in current")


def test_too_few_rows_for_a_gap_or_a_day_say_so(pair_of):
    pair = pair_of(times("2026-03-01"), times("2026-03-01"))
    assert pair.read(LargestGap(ANY, "t")) == Missing("t: a gap needs at least 2 rows with a time, got 1", rows=1)
    assert pair.read(RowsPerDay(ANY, "t")) == Missing(
        "t: no whole UTC day lies between the first and the last day with rows", rows=1
    )
