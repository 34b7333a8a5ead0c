"""How long the client rests, and when it gives up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import FakeTime

from gate.client.patience import Clock, TimeLimit, backoff, retry_after
from gate.errors import OutOfTimeError


@pytest.mark.parametrize(("failures", "low", "high"), [(1, 0.25, 0.5), (2, 0.5, 1.0), (5, 4.0, 8.0), (60, 7.5, 15.0)])
def test_rests_double_up_to_a_bound_and_half_is_left_to_chance(failures, low, high):
    assert backoff(failures, Clock(chance=lambda: 0.0)) == low
    assert backoff(failures, Clock(chance=lambda: 1.0)) == high


SUNDAY = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "9" * 400}, 999_999_999.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 GMT", "date": SUNDAY}, 30.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:00:00 GMT", "date": SUNDAY}, 0.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_its_forms_against_the_servers_clock(headers, seconds):
    assert retry_after(headers) == seconds


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_header_breaks_the_client(text, date):
    seconds = retry_after({"retry-after": text, "date": date})
    assert seconds is None or seconds >= 0


def test_a_limit_ends_a_rest_at_its_end():
    time = FakeTime()
    limit = TimeLimit(2.0, Clock(time.now, time.sleep))
    limit.rest(1.5)
    with pytest.raises(OutOfTimeError) as late:
        limit.rest(1.5)
    assert time.slept == [1.5, 0.5]
    assert str(late.value) == "timed out: no verdict within 2 s (--timeout)"


def test_without_a_limit_there_is_always_time():
    limit = TimeLimit()
    limit.check()
    assert limit.left == float("inf")
