from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.domain.moments import end_of, format_duration, format_moment, parse_day, parse_duration, parse_moment


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("28d", timedelta(days=28)),
        ("36h", timedelta(hours=36)),
        ("30m", timedelta(minutes=30)),
        ("45s", timedelta(seconds=45)),
        ("3660d", timedelta(days=3660)),
    ],
)
def test_a_length_of_time_is_a_number_and_a_unit(text, length):
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "28", "d", "0d", "-1d", "1.5h", "28 d", "28D", "1w", "1d12h", "٣d", "28d\n"])
def test_any_other_length_of_time_says_what_is_allowed(text):
    with pytest.raises(ValueError) as caught:
        parse_duration(text)
    assert str(caught.value) == "a length of time such as 28d, 36h, 30m or 45s"


def test_a_length_of_time_ends_at_ten_years():
    with pytest.raises(ValueError) as caught:
        parse_duration("3661d")
    assert str(caught.value) == "a length of time of at most 3660d"


@given(st.integers(1, 3660 * 24 * 3600 - 1).filter(lambda seconds: seconds < 10**6 or seconds % 3600 == 0))
def test_a_length_of_time_survives_writing_and_reading(seconds):
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_a_bare_date_is_the_end_of_that_day():
    assert parse_moment("2026-11-20") == datetime(2026, 11, 20, 23, 59, 59, 999999, tzinfo=UTC)
    assert parse_moment("2026-11-20") == end_of(date(2026, 11, 20))


def test_a_date_time_is_read_in_utc():
    assert parse_moment("2026-11-20T12:00:00+02:00") == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert parse_moment("2026-11-20 12:00Z") == datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("2026-11-20T12:00:00", "a date-time with its zone, such as 2026-11-20T12:00:00Z"),
        ("2026-11-20 12:00", "a date-time with its zone, such as 2026-11-20T12:00:00Z"),
        ("2026-11-20T25:00:00Z", "a date-time of the calendar such as 2026-11-20T12:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "a date-time of the calendar such as 2026-11-20T12:00:00Z"),
        ("2026-02-30", "a date of the calendar such as 2026-11-20"),
        ("tomorrow", "a date such as 2026-11-20, or a date-time with its zone such as 2026-11-20T12:00:00Z"),
        ("20261120", "a date such as 2026-11-20, or a date-time with its zone such as 2026-11-20T12:00:00Z"),
        ("", "a date such as 2026-11-20, or a date-time with its zone such as 2026-11-20T12:00:00Z"),
    ],
)
def test_any_other_moment_says_what_is_allowed(text, allowed):
    with pytest.raises(ValueError) as caught:
        parse_moment(text)
    assert str(caught.value) == allowed


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds are naive in Hypothesis
def test_a_moment_survives_writing_and_reading(moment):
    assert parse_moment(format_moment(moment)) == moment


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_date_survives_as_a_date(day):
    assert parse_day(day.isoformat()) == day
    assert format_moment(end_of(day)) == day.isoformat()


@pytest.mark.parametrize("text", ["2026-11-20T00:00:00Z", "20.11.2026", "2026-1-2", ""])
def test_a_day_is_a_plain_date(text):
    with pytest.raises(ValueError) as caught:
        parse_day(text)
    assert str(caught.value) == "a date such as 2026-11-20"
