"""What a verdict is worth today, and what to do about it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import a_document

from gate.domain.evaluation import Evaluation, Event, Served, State, Submission, Trigger
from gate.flow.ports import Standing
from gate.policy.load import load_policy
from gate.policy.match import PolicySet
from gate.publish.findings import show_findings
from gate.server.view.history import attempts_of, changes_between, latest_changes, versions_of
from gate.server.view.portfolio import PilotAge, pilot_age, policy_of, portfolio_of
from gate.server.view.progress import progress_of
from gate.server.view.standing import Answer, answer_of, answer_when_made, position_of
from gate.server.view.verdict import command_of, sides_of

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEPT = {"evaluated_at": NOW - timedelta(days=3), "valid_until": NOW + timedelta(days=11)}


def verdict(name="promote", **changes):
    return a_document(name, **KEPT | changes)


@pytest.mark.parametrize(
    ("name", "changes", "answer"),
    [
        ("promote", {}, Answer.PROMOTE),
        ("promote", {"valid_until": NOW + timedelta(seconds=1)}, Answer.PROMOTE),
        ("promote", {"valid_until": NOW}, Answer.STALE),
        ("promote", {"valid_until": "soon"}, Answer.STALE),
        ("promote", {"enforced": False}, Answer.REPORT_ONLY),
        ("promote", {"enforced": False, "valid_until": NOW}, Answer.REPORT_ONLY),
        ("hold-failed", {}, Answer.HOLD),
        ("hold-failed", {"valid_until": NOW}, Answer.HOLD),
        ("hold-error", {}, Answer.HOLD),
        ("report-only", {}, Answer.REPORT_ONLY),
    ],
)
def test_a_verdict_is_worth_no_more_than_it_says(name, changes, answer):
    assert answer_of(verdict(name, **changes), NOW) is answer


@given(st.sampled_from(["promote", "hold", "PROMOTE", "", "go"]), st.booleans(), st.integers(-5, 5))
def test_only_an_enforced_promotion_that_is_still_valid_promotes(decision, enforced, days):
    document = verdict(decision=decision, enforced=enforced, valid_until=NOW + timedelta(days=days))
    promotes = answer_of(document, NOW) is Answer.PROMOTE
    assert promotes == (decision == "promote" and enforced and days > 0)


@pytest.mark.parametrize(
    ("name", "changes", "because", "step", "command"),
    [
        ("promote", {}, "", "Go on with version 2, before 6 December 2026, 12:00 UTC.", ""),
        ("promote", {"valid_until": NOW}, "The promotion ended on 25 November 2026, 12:00 UTC.", "Judge it again.",
         "gate check models:/bike-demand/2 --stage pilot"),
        ("promote", {"enforced": False}, "The newest verdict was report-only: it enforces nothing.",
         "Ask for a verdict that counts.", "gate check models:/bike-demand/2 --stage pilot"),
        ("hold-failed", {}, "A check failed.",
         "look at where temp comes from; if the world has changed, retrain on recent rows", ""),
        ("hold-error", {}, "A check could not be made.", "report it with the verdict and the policy",
         "gate check models:/bike-demand/2 --stage pilot"),
        ("hold-failed", {"findings": [], "flip": ["decide"]}, "A check failed.", "decide", ""),
        ("hold-failed", {"findings": [], "flip": []}, "A check failed.", "See the findings.", ""),
    ],
)  # fmt: skip
def test_each_answer_has_a_next_step(name, changes, because, step, command):
    position = position_of(verdict(name, **changes), NOW)
    assert (position.because, position.step, position.command) == (because, step, command)


def test_the_owner_of_the_first_finding_is_asked_and_else_the_owner_of_the_policy():
    assert position_of(verdict("hold-failed"), NOW, "someone").owner == "mobility-analytics"
    assert position_of(verdict("promote"), NOW, "someone").owner == "someone"
    assert position_of(verdict("promote"), NOW).owner == ""


# --- the portfolio ----------------------------------------------------------------------------------------------------


def standing(name, document):
    return Standing(name, document["stage"], document["id"], Trigger.CI, document)


@pytest.fixture
def policies(tmp_path):
    (tmp_path / "bike.yaml").write_text(
        "policy: gate/v1\nname: bike-demand\nowner: mobility-analytics\n"
        "pilot: {started: 2026-11-01, decide_by: 2026-11-30}\napplies_to: {models: [bike]}\ntask: none\n"
        "data: {reference: {mlflow: training}, current: {uri: now.parquet}}\n"
        "checks: [{check: missing_share, max: 0.1}]\n",
        encoding="utf-8",
    )
    return PolicySet("policies", (load_policy(tmp_path / "bike.yaml"),))


def test_what_needs_somebody_comes_first_and_the_rest_by_name(policies):
    standings = [
        standing("d", verdict(model__name="d")),
        standing("c", verdict(model__name="c", valid_until=NOW)),
        standing("b", verdict("report-only", model__name="b")),
        standing("z", verdict("hold-failed", model__name="z")),
        standing("a", verdict("hold-error", model__name="a")),
    ]
    shown = portfolio_of(standings, [], [], policies, NOW)
    assert [row.position.name for row in shown.rows] == ["a", "z", "c", "b", "d"]
    assert shown.counts == {"hold": 2, "stale": 1, "report only": 1, "promote": 1, "none": 0}
    only = portfolio_of(standings, [], [], policies, NOW, Answer.STALE)
    assert [row.position.name for row in only.rows] == ["c"]
    assert (only.counts, only.total) == (shown.counts, 5)


def test_an_alias_is_shown_beside_its_own_model_where_it_is_set():
    aliases = (("d", "champion", "1"), ("e", "champion", "2"), ("d", "shadow", None))
    seen = [Served(name, alias, version, "p", "pilot", NOW) for name, alias, version in aliases]
    [row] = portfolio_of([standing("d", verdict(model__name="d"))], seen, [], None, NOW).rows
    assert row.served == (seen[0],)
    assert row.pilot is None


def test_a_pilot_is_counted_from_its_first_day_to_the_day_of_its_decision(policies):
    policy = policy_of(policies, verdict())
    started, decide_by = date(2026, 11, 1), date(2026, 11, 30)
    assert pilot_age(policy, started) == PilotAge(started, decide_by, 1, 30, 29, 1 / 30)
    assert pilot_age(policy, decide_by) == PilotAge(started, decide_by, 30, 30, 0, 1.0)
    late = pilot_age(policy, date(2026, 12, 2))
    assert (late.day, late.left, late.share, late.is_overdue) == (32, -2, 1.0, True)
    assert pilot_age(policy, date(2026, 10, 1)).share == 0.0
    assert policy_of(policies, verdict(policy__name="another")) is None
    assert pilot_age(None, started) is None


# --- the history ------------------------------------------------------------------------------------------------------


def test_versions_come_newest_first_and_their_attempts_in_the_order_of_time():
    documents = [verdict(model__version=version, attempt=number) for version, number in (("2", 2), ("1", 1), ("2", 1))]
    versions = versions_of(attempts_of(documents))
    assert [(v.name, [a.document["attempt"] for a in v.attempts]) for v in versions] == [("2", [1, 2]), ("1", [1])]


@pytest.mark.parametrize(
    ("name", "mark", "cause"),
    [
        ("promote", "promote", ""),
        ("hold-failed", "hold", "a check failed"),
        ("hold-error", "error", "a check could not be made"),
        ("hold-insufficient", "insufficient", "not enough evidence"),
        ("report-only", "report only", "a check failed"),
    ],
)
def test_an_attempt_is_marked_by_why_it_held(name, mark, cause):
    [attempt] = attempts_of([verdict(name)])
    assert (attempt.mark, attempt.cause) == (mark, cause)
    assert attempt.answer is answer_when_made(attempt.document)


def test_a_change_says_whether_things_got_better_or_worse():
    changes = changes_between(verdict(), verdict("hold-failed", model__version="3"))
    assert [(c.title, c.words, c.tone) for c in changes.findings] == [
        ("feature_drift, temp", "new: fail", "worse"),
        ("error, mae", "new: warn", "worse"),
    ]
    others = {change.title: change.words for change in changes.others}
    assert others["feature_drift, season"] == "new: fail, waived"
    assert ("model version", "2", "3") in [(i.what, i.before, i.after) for i in changes.inputs]
    back = changes_between(verdict("hold-failed"), verdict())
    assert [(c.words, c.tone) for c in back.findings] == [("gone, was fail", "better"), ("gone, was warn", "better")]


def test_each_stage_is_compared_with_itself():
    documents = [verdict(stage="wave-1"), verdict(), verdict("hold-failed", stage="wave-1")]
    [changes] = latest_changes(documents)
    assert changes.after is documents[0]
    assert changes.before is documents[2]


# --- a verdict and an evaluation --------------------------------------------------------------------------------------


def test_only_what_decides_is_counted_by_dimension():
    document = verdict("hold-failed")
    sides = sides_of(show_findings(document))
    assert [(side.name, side.deciding, side.in_the_way) for side in sides] == [("technical", 6, 1)]


def test_the_command_of_most_findings_asks_the_same_again():
    assert command_of(verdict("hold-failed")) == "gate check models:/bike-demand/2 --policy policies/bike-demand.yaml"
    assert command_of(verdict(findings=[])) == "gate check models:/bike-demand/2"


def test_events_become_steps_and_rows_are_added_up():
    evaluation = Evaluation("e", "anonymous", "k", Submission("models:/m/1"), "m", State.RUNNING, NOW, NOW)
    happened = (
        ("queued", {}),
        ("started", {}),
        ("phase", {"name": "profile", "detail": "reads"}),
        ("rows", {"scanned": 10}),
        ("rows", {"scanned": 30}),
        ("rows", {"scanned": "x"}),
    )
    events = [Event(number, NOW, kind, data) for number, (kind, data) in enumerate(happened, 1)]
    progress = progress_of(evaluation, events)
    steps = [(step.name, step.detail) for step in progress.steps]
    assert steps == [("in line", ""), ("work begins", ""), ("profile", "reads")]
    assert (progress.rows, progress.last) == (30, 6)
    assert progress_of(evaluation, []).last == 0
