"""How far the inputs have moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import Drift, Limit
from gate.domain.scope import Roles
from gate.testing import a_check, a_number, a_scope, judge_one

TEMP = a_scope({"temp": "DOUBLE"})
NAMES = ("a", "b", "c", "d")
FOUR = a_scope(dict.fromkeys(NAMES, "DOUBLE"))


def judged(answer, scope=TEMP, **fields):
    return judge_one("feature_drift", {"max": 0.1, **fields}, answer, scope)


def by_column(answers):
    return lambda need: answers[need.column]


@pytest.mark.parametrize(("distance", "status"), [(0.1, "pass"), (0.1001, "fail"), (0, "pass")])
def test_the_edge(distance, status):
    (judgement,) = judged(a_number(distance))
    assert judgement.status == status


def test_a_drifted_column_is_a_sentence_with_its_unit():
    (judgement,) = judged(a_number(0.41, 5000, method="wasserstein"))
    assert (
        judgement.reason
        == "temp moved 0.41 reference standard deviations (Wasserstein), limit at most 0.1, judged on the value"
    )
    assert judgement.remedy == "find out what changed at the source of temp, or train on data like that of today"
    assert judgement.flip == "temp: bring Wasserstein from 0.41 to at most 0.1"


def test_a_category_names_what_moved_most():
    answer = a_number(0.3, details={"moved": [["Sales", 0.11, 0.032], ["Tech", 0.2, 0.25]]})
    (judgement,) = judged(answer, a_scope({"job": "VARCHAR"}))
    assert judgement.reason == "job moved 0.3 (Jensen-Shannon distance), limit at most 0.1, judged on the value"
    assert judgement.remedy.endswith("(most moved: 'Sales', from 11 % to 3.2 % of rows)")


def test_each_kind_has_its_distance(bike):
    check = a_check("feature_drift", {"max": 0.2, "method": {"numeric": "psi"}, "bins": "evidently"})
    limit = Limit(max=0.2)
    assert check.needs(bike) == (
        Drift(limit, "temp", "psi", "evidently", 0.95),
        Drift(limit, "hum", "psi", "evidently", 0.95),
        Drift(limit, "weathersit", "jensenshannon", "evidently", 0.95),
    )


def test_confidence_comes_from_the_check_else_the_policy(bike):
    (need, *_) = a_check("feature_drift", {"max": 0.2, "confidence": "point"}).needs(bike)
    assert need.confidence is None
    (need, *_) = a_check("feature_drift", {"max": 0.2, "confidence": 0.9}).needs(bike)
    assert need.confidence == 0.9


def test_below_min_rows_nothing_is_judged():
    (judgement,) = judged(a_number(0.41, rows=40), min_rows=500)
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == (
        "temp moved 0.41 reference standard deviations (Wasserstein), but on 40 rows only; 500 are needed, 460 more"
    )
    assert (judgement.rows_missing, judgement.flip) == (460, "collect 460 more rows")


def test_times_and_other_types_are_left_out_unless_they_are_listed():
    scope = a_scope({"at": "TIMESTAMP", "geo": "STRUCT(x INT)", "a": "DOUBLE"})
    assert len(judged(a_number(0), scope)) == 1
    at, geo = judged(a_number(0), scope, columns=["at", "geo"])
    assert at.reason == "column at is a time; only a column that is numeric or categorical can be judged here"
    assert geo.reason.startswith("column geo is of a type that is not measured; ")
    assert at.status is geo.status is Status.INSUFFICIENT


def test_a_column_that_is_absent_on_a_side_is_insufficient():
    scope = a_scope({"a": "DOUBLE"}, current={"b": "DOUBLE"})
    a, b, c = judged(a_number(0), scope, columns=["a", "b", "c"])
    assert [one.reason for one in (a, b, c)] == [
        "column a is absent from the current data",
        "column b is absent from the reference data",
        "column c is absent from the reference and current data",
    ]
    assert {one.status for one in (a, b, c)} == {Status.INSUFFICIENT}


def test_without_features_it_is_insufficient():
    (judgement,) = judged(a_number(0), a_scope({"y": "DOUBLE"}, roles=Roles(target="y")))
    assert (judgement.status, judgement.reason) == (
        Status.INSUFFICIENT, "there is no feature whose drift could be measured",
    )  # fmt: skip


# --- the share of drifted columns -------------------------------------------------------------------------------------


def test_the_share_decides_and_a_drifted_column_warns():
    answers = dict(zip(NAMES, map(a_number, (0.5, 0, 0, 0)), strict=True))
    share, drifted, *still = judged(by_column(answers), FOUR, max_drifted_share=0.25)
    assert (share.status, share.reason) == (Status.PASS, "1 of 4 columns drifted (25 %), limit at most 25 %")
    assert drifted.status is Status.WARN
    assert drifted.reason.endswith("limit at most 0.1, judged on the value; the share of such columns decides")
    assert {one.status for one in still} == {Status.PASS}


def test_too_many_drifted_columns_fail_whatever_the_undecided_ones_are():
    answers = dict(zip(NAMES, (a_number(0.5), a_number(0.5), Missing("all null"), a_number(0)), strict=True))
    share, *_ = judged(by_column(answers), FOUR, max_drifted_share=0.25)
    assert share.status is Status.FAIL
    assert share.reason == "2 of 4 columns drifted (50 %) and 1 cannot be judged, limit at most 25 %"
    assert share.flip == "bring the drifted columns from 2 of 4 to at most 1"


def test_an_undecided_column_counts_as_drifted_before_the_share_passes():
    answers = dict(zip(NAMES, (a_number(0.5), Missing("all null"), a_number(0), a_number(0)), strict=True))
    share, _, undecided, *_ = judged(by_column(answers), FOUR, max_drifted_share=0.5)
    assert share.status is Status.PASS
    assert (undecided.status, undecided.reason) == (Status.WARN, "all null; counted as drifted in the share")
    share, *_ = judged(by_column(answers), FOUR, max_drifted_share=0.4)
    assert share.status is Status.INSUFFICIENT
    assert share.reason == (
        "1 of 4 columns drifted (25 %) and 1 cannot be judged, limit at most 40 %; "
        "with those counted as drifted it is 50 %"
    )


def test_a_column_that_broke_stays_broken_under_the_share():
    share, broken, *_ = judged(
        by_column({**dict.fromkeys(NAMES, a_number(0)), "a": Missing("crashed", broken=True)}),
        FOUR,
        max_drifted_share=0.5,
    )
    assert (share.status, broken.status) == (Status.PASS, Status.ERROR)


def test_without_any_column_that_could_be_judged_the_share_is_insufficient():
    share, *_ = judged(lambda _: Missing("all null"), FOUR, max_drifted_share=0.99)
    assert share.status is Status.INSUFFICIENT
    assert share.reason == (
        "0 of 4 columns drifted (0 %) and 4 cannot be judged, limit at most 99 %; "
        "with those counted as drifted it is 100 %"
    )


@pytest.mark.parametrize("most", [1, 1.0, 1.1, -0.1])
def test_a_share_that_all_columns_may_exceed_is_refused(most):
    with pytest.raises(ValidationError, match=r"max_drifted_share"):
        a_check("feature_drift", {"max": 0.1, "max_drifted_share": most})


_ANSWER = st.one_of(
    st.floats(0, 1).map(a_number), st.just(Missing("all null")), st.just(Missing("broke", broken=True))
)  # fmt: skip
_RANK = {Status.PASS: 0, Status.INSUFFICIENT: 1, Status.FAIL: 2}


@given(
    answers=st.lists(_ANSWER, min_size=4, max_size=4), place=st.integers(0, 3), most=st.floats(0, 1, exclude_max=True)
)
def test_losing_or_worsening_a_column_never_helps_the_share(answers, place, most):
    def share(some):
        return judged(by_column(dict(zip(NAMES, some, strict=True))), FOUR, max_drifted_share=most)[0].status

    before = share(answers)
    for harm in (a_number(1.0), Missing("gone")):
        after = share([harm if index == place else one for index, one in enumerate(answers)])
        assert before is Status.PASS or after is not Status.PASS


# --- fields -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"numeric": "auto"}, "unknown distance 'auto' for numeric columns; allowed are wasserstein, ks, "),
        ({"numeric": "wasserstien"}, "did you mean 'wasserstein'?"),
        ({"categorical": "wasserstein"}, "unknown distance 'wasserstein' for categorical columns"),
        ({"text": "psi"}, "Extra inputs"),
        ("psi", "should be an object"),
    ],
)
def test_refuses_what_is_no_distance(method, message):
    with pytest.raises(ValidationError, match=message):
        a_check("feature_drift", {"max": 0.1, "method": method})


@pytest.mark.parametrize("limit", [-0.1, None, "0.1", True])
def test_refuses_a_limit_that_is_none(limit):
    with pytest.raises(ValidationError):
        a_check("feature_drift", {"max": limit})
