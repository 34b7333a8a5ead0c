"""Predictions that are good enough."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gate.domain.evidence import Grouped, Missing, Stated
from gate.domain.finding import Status
from gate.domain.metrics import METRICS
from gate.domain.need import ANY, ChampionRecord, Limit, Quality
from gate.domain.scope import Roles
from gate.testing import a_check, a_number, a_scope, judge_one

TYPES = {"a": "DOUBLE", "season": "VARCHAR", "y": "DOUBLE", "p": "DOUBLE"}
SCOPE = a_scope(TYPES, roles=Roles(target="y", prediction="p"), min_rows=500)
MAE = {"metric": "mae", "max": 60}


def judged(answer, scope=SCOPE, **fields):
    return judge_one("metric", MAE | fields, answer, scope)


def reasons(judgements):
    return [(str(one.status), one.reason) for one in judgements]


# --- the value --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "status"),
    [((50, 60), "pass"), ((50, 60.1), "insufficient"), ((59, 70), "insufficient"), ((60.1, 70), "fail")],
)
def test_the_interval_decides(interval, status):
    (judgement,) = judged(a_number(sum(interval) / 2, interval=interval))
    assert judgement.status == status


def test_an_error_over_its_limit_is_a_sentence_with_its_numbers():
    (judgement,) = judged(a_number(64.2, 4900, interval=(62, 66.4)))
    assert judgement.reason == "mean absolute error is 64.2 (95 % interval 62 to 66.4), limit at most 60"
    assert judgement.remedy == "look at the rows where the model is worst, and improve the model or its data"
    assert judgement.flip == "metric: bring mean absolute error from 64.2 to at most 60"


def test_forty_labelled_rows_say_how_many_are_missing():
    (judgement,) = judged(a_number(31, 40, interval=(22, 40)))
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == ("mean absolute error is 31, but on 40 labelled rows only; 500 are needed, 460 more")
    assert (judgement.remedy, judgement.rows_missing) == ("collect 460 more labelled rows", 460)


def test_a_warning_comes_before_the_limit():
    (judgement,) = judged(a_number(55), warn_above=50)
    assert judgement.status is Status.WARN
    assert (
        judgement.reason == "mean absolute error is 55, limit at most 60, judged on the value; it should be at most 50"
    )


def test_missing_is_insufficient_and_broken_an_error():
    for broken, status in ((False, Status.INSUFFICIENT), (True, Status.ERROR)):
        (judgement,) = judged(Missing("no row is labelled", broken=broken))
        assert (judgement.status, judgement.reason) == (status, "no row is labelled")


def test_an_answer_that_is_no_number_is_an_error():
    (judgement,) = judged(Stated("good", "somebody"))
    assert judgement.status is Status.ERROR


def test_asks_for_exactly_what_it_holds_against_a_limit():
    fields = {"metric": "f1", "min": 0.8, "average": "macro", "versus": {"champion": {"max_decrease": "1%"}},
              "segments": {"by": ["season"], "min": 0.6}}  # fmt: skip
    assert a_check("metric", fields).needs(SCOPE) == (
        Quality(Limit(min=0.8), "f1", average="macro", confidence=0.95),
        ChampionRecord(ANY),
        Quality(Limit(min=-0.01), "f1", of="increase", relative=True, average="macro", confidence=0.95),
        Quality(Limit(min=0.6), "f1", average="macro", by="season", confidence=0.95),
    )


def test_a_value_that_the_policy_asks_for_is_not_said_to_be_one():
    (judgement,) = judged(a_number(55), confidence="point")
    assert judgement.reason == "mean absolute error is 55, limit at most 60"


@pytest.mark.parametrize("metric", ["f1", "precision", "recall", "balanced_accuracy", "roc_auc", "pr_auc"])
def test_few_rows_of_the_smaller_class_decide_nothing(metric):
    fields = {"max": None, "metric": metric, "min": 0.5}
    (judgement,) = judged(a_number(0.9, details={"smaller_class": 29}), **fields)
    assert (judgement.status, judgement.rows_missing) == (Status.INSUFFICIENT, 1)
    assert judgement.reason == (
        f"{METRICS[metric].title} rests on 29 labelled rows of the smaller class; 30 are needed, 1 more"
    )
    (enough,) = judged(a_number(0.9, details={"smaller_class": 30}), **fields)
    (not_asked,) = judged(a_number(0.9, details={"smaller_class": 1}), min_rows=29, scope=a_scope(TYPES), **fields)
    assert (enough.status, not_asked.status) == (Status.PASS, Status.PASS)


def test_few_rows_of_a_class_leave_segments_and_the_champion_undecided():
    few = a_number(0.0, details={"smaller_class": 3})
    fields = {"metric": "f1", "max": None, "versus": {"champion": {"max_decrease": 0.1}},
              "segments": {"by": ["season"], "min": 0}}  # fmt: skip
    judgements = judged(lambda need: Grouped((("1", few),)) if getattr(need, "by", None) else few, **fields)
    assert [one.status for one in judgements] == [Status.INSUFFICIENT] * 2


# --- the champion -----------------------------------------------------------------------------------------------------

VERSUS = {"max": None, "versus": {"champion": {"max_increase": "2%"}}}


def with_champion(increase, champion=None):
    def answer(need):
        if isinstance(need, ChampionRecord):
            return champion or Stated("a record", "registry")
        return increase

    return answer


@pytest.mark.parametrize(("increase", "status"), [(0.02, "pass"), (-0.5, "pass"), (0.021, "fail")])
def test_the_margin_is_a_share_of_the_champion(increase, status):
    (judgement,) = judged(with_champion(a_number(increase)), **VERSUS)
    assert judgement.status == status


def test_the_comparison_shows_both_sides():
    details = {"candidate": 61.2, "champion": 58.0, "paired": True}
    (judgement,) = judged(with_champion(a_number(0.055, details=details, interval=(0.03, 0.08))), **VERSUS)
    assert judgement.status is Status.FAIL
    assert judgement.reason == (
        "mean absolute error differs from the champion's by +5.5 % (61.2 against 58, same rows) "
        "(95 % interval +3 % to +8 %), limit at most +2 %"
    )
    assert judgement.subject == {"versus": "champion"}
    assert judgement.flip == "metric: bring the difference to the champion from +5.5 % to at most +2 %"


def test_an_absolute_margin_is_in_the_unit_of_the_metric():
    fields = {"metric": "accuracy", "max": None, "versus": {"champion": {"max_decrease": 0.01}}}
    for decrease, status in ((-0.01, Status.PASS), (-0.0101, Status.FAIL), (0.2, Status.PASS)):
        (judgement,) = judged(with_champion(a_number(decrease)), **fields)
        assert judgement.status is status


def test_a_negative_margin_asks_the_candidate_to_be_better():
    fields = {"max": None, "versus": {"champion": {"max_increase": -1}}}
    for increase, status in ((-1, Status.PASS), (-0.9, Status.FAIL)):
        (judgement,) = judged(with_champion(a_number(increase)), **fields)
        assert judgement.status is status


NO_CHAMPION = Missing("the registry names no champion")


def test_no_champion_holds_unless_the_policy_skips_and_then_warns():
    (held,) = judged(with_champion(a_number(0), NO_CHAMPION), **VERSUS)
    assert (held.status, held.reason) == (Status.INSUFFICIENT, "the registry names no champion")
    skipping = a_scope(TYPES, champion_when_missing="skip")
    (skipped,) = judged(with_champion(Missing("nobody to compare with"), NO_CHAMPION), skipping, **VERSUS)
    assert skipped.status is Status.WARN
    assert skipped.reason == (
        "the registry names no champion: nothing is compared with it, as the policy allows (when_missing: skip)"
    )
    broken = Missing("the registry hung up", broken=True)
    (error,) = judged(with_champion(a_number(0), broken), skipping, **VERSUS)
    assert error.status is Status.ERROR


def test_a_champion_without_predictions_is_insufficient_even_under_skip():
    skipping = a_scope(TYPES, champion_when_missing="skip")
    (judgement,) = judged(with_champion(Missing("no column champion_predicted")), skipping, **VERSUS)
    assert judgement.status is Status.INSUFFICIENT


# --- the segments -----------------------------------------------------------------------------------------------------

SEGMENTS = {"max": None, "segments": {"by": ["season"], "max": 80, "min_rows": 200}}


def test_every_segment_is_judged_and_a_lost_or_small_one_is_insufficient():
    groups = (("1", a_number(70)), ("2", a_number(81)), ("3", a_number(1, 199)), ("4", Missing("no rows in current")))
    assert reasons(judged(Grouped(groups), **SEGMENTS)) == [
        ("pass", "mean absolute error is 70 where season=1, limit at most 80, judged on the value"),
        ("fail", "mean absolute error is 81 where season=2, limit at most 80, judged on the value"),
        ("insufficient", ("mean absolute error is 1 where season=3, but on 199 labelled rows only; "
         "200 are needed, 1 more")),
        ("insufficient", "no rows in current"),
    ]  # fmt: skip


def test_segments_take_the_limits_and_min_rows_of_the_check():
    groups = Grouped((("1", a_number(59, 499)), ("2", a_number(61, 500))))
    overall, small, bad = judged(
        lambda need: groups if need.by else a_number(59), segments={"by": ["season"]}
    )  # fmt: skip
    assert [one.status for one in (overall, small, bad)] == ["pass", "insufficient", "fail"]
    assert bad.limit == Limit(max=60.0)


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (Grouped(()), "insufficient", "segments by season: there are none"),
        (Missing("season has 5,000 values"), "insufficient", "season has 5,000 values"),
        (a_number(1), "error", "expected segments by season, got Measured: this is a bug in gate"),
    ],
)
def test_without_groups_nothing_passes(answer, status, reason):
    assert reasons(judged(answer, **SEGMENTS)) == [(status, reason)]


def test_a_segment_column_that_current_lacks_is_insufficient():
    assert reasons(judged(a_number(1), max=None, segments={"by": ["region"], "max": 80})) == [
        ("insufficient", "segments by region: it is absent from the current data")
    ]


# --- fields -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metric": "mse", "max": 1}, "unknown metric 'mse'; did you mean 'rmse'?"),
        ({"metric": "gini", "min": 1}, "unknown metric 'gini'; allowed are accuracy, "),
        ({"metric": "mae"}, "min, max, versus and segments are missing; nothing could fail"),
        ({"metric": "mae", "warn_above": 3}, "nothing could fail"),
        ({"metric": "mae", "min": 5}, "max is missing: mae is better when it is smaller"),
        ({"metric": "accuracy", "max": 0.9}, "min is missing: accuracy is better when it is bigger"),
        ({"metric": "accuracy", "min": 85}, "min: got 85, but accuracy goes from 0 to 1"),
        ({"metric": "r2", "min": 1.5}, "min: got 1.5, but r2 goes from any to 1"),
        ({"metric": "bias", "max": 5}, "min and max are both needed: bias is bad in either direction"),
        ({"metric": "mae", "max": 5, "min": 6}, "min: 6 is above max: 5"),
        ({"metric": "mae", "max": 5, "average": "macro"}, "average: mae is one number however many classes there are"),
        ({"metric": "mae", "segments": {"by": ["a"]}}, "segments: min and max are missing, here and in the check"),
        ({"metric": "mae", "segments": {"by": ["a"], "min": 1}}, "segments.max is missing"),
        ({"metric": "mae", "segments": {"by": [], "max": 1}}, "at least 1 item"),
        ({"metric": "mae", "versus": {"champion": {}}}, "got neither of max_increase and max_decrease"),
        ({"metric": "mae", "versus": {"champion": {"max_increase": 1, "max_decrease": 1}}}, "got both of"),
        ({"metric": "mae", "versus": {"champion": {"max_decrease": 1}}}, "limit it with max_increase"),
        ({"metric": "f1", "versus": {"champion": {"max_increase": "1%"}}}, "limit it with max_decrease"),
        ({"metric": "bias", "versus": {"champion": {"max_increase": 1}}}, "compare an error such as mae instead"),
        ({"metric": "mae", "versus": {"champion": {"max_increase": "two%"}}}, "match pattern"),
    ],
)
def test_refuses_what_could_never_fail_or_never_pass(fields, message):
    with pytest.raises(ValidationError, match=message):
        a_check("metric", fields)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_can_be_limited(metric):
    bigger = METRICS[metric].bigger_is_better
    limits = {"min": 0.5} if bigger else {"max": 0.5} if bigger is False else {"min": -0.5, "max": 0.5}
    for value, status in ((0.5, Status.PASS), (0.4 if bigger else 0.6, Status.FAIL)):
        (judgement,) = judge_one("metric", {"metric": metric, **limits}, a_number(value), SCOPE)
        assert judgement.status is status
        assert judgement.reason.startswith(f"{METRICS[metric].title} is 0.")
