"""One function for every number: inside, outside, straddling, missing."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gate.checks.judging import Wording, duration, judge_missing, judge_number, number, percent, rows_to_decide
from gate.domain.evidence import Grouped, Measured, Missing, Stated
from gate.domain.finding import Status
from gate.domain.need import ANY, Limit

WORDING = Wording(
    {"column": "x"},
    says=lambda shown: f"x is {shown}",
    remedy="change x",
    aim=lambda shown, limit: f"x: bring it from {shown} to {limit}",
)


def judged(value, limit, *, low=None, high=None, bound=0.0, rows=1_000, **how):
    interval = None if low is None else (low, high)
    return judge_number(Measured(value, rows, "test", interval=interval, bound=bound), limit, WORDING, **how)


# --- inside, outside, straddling --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "limit", "status"),
    [
        (1.0, Limit(max=1.0), "pass"),
        (1.0000001, Limit(max=1.0), "fail"),
        (1.0, Limit(min=1.0), "pass"),
        (0.9999999, Limit(min=1.0), "fail"),
        (0.0, Limit(0.0, 0.0), "pass"),
        (2.0, Limit(0.0, 1.0), "fail"),
        (-1.0, Limit(0.0, 1.0), "fail"),
        (1e300, ANY, "pass"),
    ],
)
def test_without_an_interval_the_value_decides(value, limit, status):
    assert judged(value, limit).status == status


@pytest.mark.parametrize(
    ("low", "high", "bound", "status"),
    [
        (0.5, 1.0, 0.0, "pass"),
        (0.5, 1.0, 0.01, "insufficient"),
        (0.5, 0.99, 0.01, "pass"),
        (1.01, 2.0, 0.0, "fail"),
        (1.01, 2.0, 0.02, "insufficient"),
        (1.0, 2.0, 0.0, "insufficient"),
    ],
)
def test_the_interval_widened_by_binning_decides(low, high, bound, status):
    assert judged((low + high) / 2, Limit(max=1.0), low=low, high=high, bound=bound).status == status


def test_an_interval_across_a_two_sided_limit_is_undecided():
    assert judged(0.5, Limit(0.0, 1.0), low=-1, high=2).status is Status.INSUFFICIENT


# --- sentences --------------------------------------------------------------------------------------------------------


def test_a_pass_has_nothing_to_do():
    judgement = judged(0.5, Limit(max=1.0), low=0.4, high=0.6, confidence=0.95)
    assert judgement.reason == "x is 0.5 (95 % interval 0.4 to 0.6), limit at most 1"
    assert (judgement.remedy, judgement.flip, judgement.rows_missing) == ("", "", None)


def test_a_failure_says_what_would_do():
    judgement = judged(1.5, Limit(min=2.0))
    assert judgement.reason == "x is 1.5, limit at least 2"
    assert (judgement.remedy, judgement.flip) == ("change x", "x: bring it from 1.5 to at least 2")


def test_a_failure_by_a_hair_is_not_shown_as_equal():
    assert judged(1.00001, Limit(max=1.0)).reason == "x is 1, just beyond the limit at most 1"


def test_a_warning_says_what_it_should_be():
    judgement = judged(0.5, Limit(max=1.0), warn=Limit(max=0.4))
    assert judgement.status is Status.WARN
    assert judgement.reason == "x is 0.5, limit at most 1; it should be at most 0.4"
    assert judgement.remedy == "change x"


def test_a_warning_never_softens_a_failure():
    assert judged(2.0, Limit(max=1.0), warn=Limit(max=3.0)).status is Status.FAIL


def test_too_close_to_call_says_how_many_rows_would_decide():
    judgement = judged(0.75, Limit(max=1.0), low=0.25, high=1.25)
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == (
        "x is 0.75 (interval 0.25 to 1.25), limit at most 1: too close to call; "
        "about 4,000 rows would decide it, 3,000 more than now"
    )
    assert (judgement.rows_missing, judgement.flip) == (3000, "collect about 3,000 more rows")


def test_on_the_wrong_side_more_rows_would_make_it_fail():
    judgement = judged(1.1, Limit(max=1.0), low=0.9, high=1.3)
    assert judgement.reason == (
        "x is 1.1 (interval 0.9 to 1.3), limit at most 1: "
        "the value is on the wrong side, and more rows would make it fail"
    )
    assert (judgement.rows_missing, judgement.flip) == (None, "x: bring it from 1.1 to at most 1")


def test_on_the_limit_no_number_of_rows_would_decide():
    judgement = judged(1.0, Limit(max=1.0), low=0.9, high=1.1)
    assert judgement.reason.endswith("the value lies on the limit, and no number of rows would decide it")


def test_too_few_rows_come_before_the_value():
    judgement = judged(99.0, Limit(max=1.0), rows=40, min_rows=500)
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == "x is 99, but on 40 rows only; 500 are needed, 460 more"
    assert (judgement.remedy, judgement.rows_missing) == ("collect 460 more rows", 460)
    assert judged(0.0, Limit(max=1.0), rows=500, min_rows=500).status is Status.PASS


def test_missing_keeps_its_reason_and_names_what_it_is_about():
    judgement = judge_missing(Missing("no labels", rows=3, rows_missing=7), {"column": "x"}, Limit(max=1.0), "wait")
    assert (judgement.status, judgement.reason, judgement.flip) == (Status.INSUFFICIENT, "no labels", "x: no labels")
    assert (judgement.rows, judgement.rows_missing, judgement.remedy) == (3, 7, "wait")
    assert judge_missing(Missing("x is gone"), {"column": "x"}).flip == "x is gone"
    assert judge_missing(Missing("crashed", broken=True), {}).status is Status.ERROR


@pytest.mark.parametrize("answer", [Stated(1.0, "somebody"), Grouped(())])
def test_what_is_no_number_is_an_error(answer):
    judgement = judge_number(answer, ANY, WORDING)
    assert judgement.status is Status.ERROR
    assert judgement.reason == f"expected a number, got {type(answer).__name__}: this is a bug in gate"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-0.0, "0"), (12340, "12,340"), (0.41234, "0.4123"), (1.2e-7, "1.2e-07"), (9999.6, "10,000"),
     (12345.6, "12,346"), (-3.5, "-3.5"), (1e20, "100,000,000,000,000,000,000")],
)  # fmt: skip
def test_numbers_have_four_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.301, "30.1 %"), (0.00004, "0.004 %"), (1, "100 %"), (0.05, "5 %"), (-0.02, "-2 %")],
)
def test_shares_tell_a_little_from_nothing(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (90, "1.5 min"),
        (3600, "1 h"),
        (129_600, "36 h"),
        (216_000, "2.5 days"),
        (-600, "-10 min"),
    ],
)
def test_lengths_of_time_have_a_sensible_unit(seconds, text):
    assert duration(seconds) == text


# --- properties -------------------------------------------------------------------------------------------------------

NUMBER = st.floats(-1e9, 1e9)
WIDTH = st.floats(0, 1e6)
ONE_SIDED = st.one_of(NUMBER.map(lambda edge: Limit(max=edge)), NUMBER.map(lambda edge: Limit(min=edge)))


@st.composite
def measurements(draw):
    value = draw(NUMBER)
    interval = draw(st.none() | st.tuples(WIDTH, WIDTH).map(lambda reach: (value - reach[0], value + reach[1])))
    return Measured(value, draw(st.integers(0, 10**6)), "test", interval=interval, bound=draw(WIDTH))


def shifted(measured, by):
    interval = measured.interval and (measured.interval[0] + by, measured.interval[1] + by)
    return dataclasses.replace(measured, value=measured.value + by, interval=interval)


RANK = {Status.PASS: 0, Status.WARN: 0, Status.INSUFFICIENT: 1, Status.FAIL: 2}


@given(measured=measurements(), limit=ONE_SIDED, harm=WIDTH)
def test_a_worse_value_is_never_judged_better(measured, limit, harm):
    worse = shifted(measured, harm if limit.max is not None else -harm)
    before, after = judge_number(measured, limit, WORDING), judge_number(worse, limit, WORDING)
    assert RANK[after.status] >= RANK[before.status]


@given(measured=measurements(), limit=ONE_SIDED, harm=WIDTH)
def test_a_stricter_limit_is_never_kept_more_easily(measured, limit, harm):
    stricter = Limit(max=limit.max - harm) if limit.max is not None else Limit(min=(limit.min or 0) + harm)
    before, after = judge_number(measured, limit, WORDING), judge_number(measured, stricter, WORDING)
    assert RANK[after.status] >= RANK[before.status]


@given(measured=measurements(), limit=ONE_SIDED, more=WIDTH)
def test_less_certainty_neither_passes_nor_fails_more(measured, limit, more):
    wider = dataclasses.replace(measured, bound=measured.bound + more)
    before, after = judge_number(measured, limit, WORDING).status, judge_number(wider, limit, WORDING).status
    assert after in (before, Status.INSUFFICIENT)


@given(measured=measurements(), limit=ONE_SIDED, min_rows=st.integers(0, 10**6), fewer=st.integers(0, 10**6))
def test_losing_rows_never_turns_a_hold_into_a_pass(measured, limit, min_rows, fewer):
    less = dataclasses.replace(measured, rows=max(measured.rows - fewer, 0))
    before, after = (judge_number(one, limit, WORDING, min_rows=min_rows).status for one in (measured, less))
    assert before is Status.PASS or after is not Status.PASS


@given(measured=measurements(), limit=ONE_SIDED)
def test_the_statuses_mean_what_they_say(measured, limit):
    status = judge_number(measured, limit, WORDING).status
    edges = (limit.holds(measured.low), limit.holds(measured.high))
    assert status is {(True, True): Status.PASS, (False, False): Status.FAIL}.get(edges, Status.INSUFFICIENT)


@given(value=NUMBER, reach=st.floats(1e-3, 1e6), room=st.floats(1e-3, 1e6), rows=st.integers(1, 10**6))
def test_with_the_rows_that_it_asks_for_an_interval_fits(value, reach, room, rows):
    assume(reach > room)
    limit = Limit(max=value + room)
    measured = Measured(value, rows, "test", interval=(value - reach, value + reach))
    needed = rows_to_decide(measured, limit)
    if needed is not None:
        assert needed >= rows
        assert value + reach * (rows / needed) ** 0.5 <= limit.max + 1e-6 * (abs(value) + reach)
