"""Lengths of time and moments as people write them in policies and waivers: one reading for each, everywhere."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

_DURATION = re.compile(r"([1-9][0-9]{0,5})(d|h|m|s)")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_LONGEST = timedelta(days=3660)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)


def parse_duration(text: str) -> timedelta:
    """Read `28d`, `36h`, `30m` or `45s`, at most ten years; ValueError says what is allowed."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("a length of time such as 28d, 36h, 30m or 45s")
    length = int(match[1]) * _UNITS[match[2]]
    if length > _LONGEST:
        raise ValueError("a length of time of at most 3660d")
    return length


def format_duration(length: timedelta) -> str:
    """Write a length of time in the largest unit that holds it whole: the inverse of `parse_duration`."""
    for letter, unit in _UNITS.items():
        if length % unit == timedelta(0):
            return f"{length // unit}{letter}"
    raise ValueError(f"a length of time is a whole number of seconds, got {length}")


def end_of(day: date) -> datetime:
    """The last moment of a day in UTC: what is allowed until a day is allowed all through it."""
    return datetime.combine(day, time.max, tzinfo=UTC)


def parse_day(text: str) -> date:
    """Read a date such as 2026-11-20; ValueError says what is allowed."""
    if _DATE.fullmatch(text) is None:
        raise ValueError("a date such as 2026-11-20")
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise ValueError("a date of the calendar such as 2026-11-20") from wrong


def parse_moment(text: str) -> datetime:
    """Read a date (its end, in UTC) or a date-time with its zone, as UTC; ValueError says what is allowed."""
    if _DATE.fullmatch(text):
        return end_of(parse_day(text))
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("a date such as 2026-11-20, or a date-time with its zone such as 2026-11-20T12:00:00Z")
    if match[3] is None:
        raise ValueError("a date-time with its zone, such as 2026-11-20T12:00:00Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise ValueError("a date-time of the calendar such as 2026-11-20T12:00:00Z") from wrong


def format_moment(moment: datetime) -> str:
    """Write a moment so that `parse_moment` reads the same one: the end of a day as its date."""
    utc = moment.astimezone(UTC)
    if utc == end_of(utc.date()):
        return utc.date().isoformat()
    return utc.isoformat().replace("+00:00", "Z")
