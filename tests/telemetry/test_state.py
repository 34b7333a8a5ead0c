"""The state of a real store, as a scrape shows it."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from gate.domain.evaluation import State, Trigger
from gate.domain.finding import Dimension, Severity, Status
from gate.domain.verdict import ModelIdentity
from gate.errors import StoreError
from gate.flow.document import document_of
from gate.flow.ports import Backlog, Standing
from gate.policy.match import PolicySet
from gate.telemetry.catalogue import METRICS, Origin
from gate.telemetry.metrics import Metrics
from gate.telemetry.sheet import label_text
from gate.telemetry.state import StateCollector

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATE = {metric.name for metric in METRICS if metric.origin is Origin.STATE}
BIKE = {"model": "bike", "stage": "pilot"}


@pytest.fixture
def verdict(make):
    return make["verdict"]


@pytest.fixture
def drift(make):
    return make["drift"]


@pytest.fixture
def finding(make):
    return make["finding"]


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [None, "failed", "error", "awaiting", "insufficient"])
def test_exactly_one_word_is_1_for_the_newest_verdict(fleet, verdict, cause):
    fleet.keep(verdict("bike", "1", cause="failed"), verdict("bike", "2", cause=cause))
    said = fleet.scrape().series("gate_model_verdict", **BIKE)
    words = ("promote", "failed", "error", "awaiting", "insufficient", "none")
    assert said == {(word,): float(word == (cause or "promote")) for word in words}


def test_a_report_only_promotion_is_shown_as_one_that_is_not_enforced(fleet, verdict):
    fleet.keep(verdict(enforced=False))
    scrape = fleet.scrape()
    assert scrape.value("gate_model_verdict", **BIKE, verdict="promote") == 1
    assert scrape.value("gate_model_verdict_enforced", **BIKE) == 0


def test_the_times_of_a_verdict_and_of_its_data_are_timestamps(fleet, verdict):
    fleet.keep(verdict())
    scrape = fleet.scrape()
    assert scrape.value("gate_model_verdict_timestamp_seconds", **BIKE) == NOW.timestamp()
    valid = scrape.value("gate_verdict_valid_until_timestamp_seconds", **BIKE)
    assert valid == (NOW + timedelta(days=14)).timestamp()
    ended = scrape.value("gate_reference_data_timestamp_seconds", **BIKE)
    assert ended == (NOW - 80 * HOUR).timestamp()
    assert scrape.value("gate_current_data_timestamp_seconds", **BIKE) == (NOW - 8 * HOUR).timestamp()
    assert scrape.value("gate_current_data_rows", **BIKE) == 20


def test_data_without_a_window_has_no_end(fleet, verdict):
    bare = verdict()
    fleet.keep(replace(bare, current=replace(bare.current, since=None, until=None)))
    assert fleet.scrape().series("gate_current_data_timestamp_seconds") == {}


def test_a_model_that_a_policy_names_in_full_is_none_until_it_has_a_verdict(fleet, verdict):
    fleet.policy("rides", "bike", "scooter", "bus-*", "tram[12]")
    fleet.keep(verdict("bike"))
    scrape = fleet.scrape()
    assert {model for (model, _) in scrape.series("gate_model_verdict", verdict="none")} == {"bike", "scooter"}
    assert scrape.value("gate_model_verdict", model="scooter", stage="pilot", verdict="none") == 1
    assert scrape.value("gate_model_verdict", **BIKE, verdict="none") == 0


def test_the_totals_are_there_at_0_for_every_word_and_trigger_and_count_what_was_stored(fleet, verdict):
    before = fleet.scrape().series("gate_verdicts_total")
    assert (len(before), set(before.values())) == (20, {0.0})
    fleet.keep(verdict(cause="failed"), verdict(cause="failed", stage="wave-1"), trigger=Trigger.SCHEDULE)
    after = fleet.scrape().series("gate_verdicts_total")
    assert len(after) == 40
    assert {labels: number for labels, number in after.items() if number} == {
        ("pilot", "schedule", "failed"): 1,
        ("wave-1", "schedule", "failed"): 1,
    }


def test_the_join_table_has_what_the_policy_says(fleet, verdict):
    fleet.policy("rides", "bike*")
    fleet.keep(verdict())
    assert fleet.scrape().families["gate_model_info"].samples[0].labels == {
        **BIKE, "version": "2", "tier": "medium", "owner": "team rides", "pilot": "rides", "department": "mobility",
    }  # fmt: skip


def test_a_policy_in_force_is_named_with_the_beginning_of_its_digest(fleet):
    fleet.policy("rides", "bike")
    digest = fleet.policies().policies[0].digest.removeprefix("sha256:")[:8]
    assert fleet.scrape().series("gate_policy_info") == {(digest, "rides"): 1}


# --- readiness --------------------------------------------------------------------------------------------------------


def test_a_check_counts_once_as_good_as_its_worst_finding_and_notes_do_not_count(fleet, verdict, finding):
    fleet.keep(
        verdict(
            "bike", "2",
            finding("a"),
            finding("b", Status.WARN),
            finding("c"), finding("c", Status.FAIL), finding("c", Status.FAIL),
            finding("d", Status.INSUFFICIENT), finding("e", Status.ERROR),
            finding("f", Status.FAIL, waiver="waived by A, approved by B, until 2026-12-01: new sensors (X-1)"),
            finding("g", Status.FAIL, Dimension.RISK),
            finding("h", Status.FAIL, severity=Severity.INFO),
            cause="failed",
        )
    )  # fmt: skip
    scrape = fleet.scrape()
    blockers = {"business": 3, "risk": 1, "technical": 0, "organisation": 0}
    assert scrape.series("gate_model_blockers", **BIKE) == {(name,): number for name, number in blockers.items()}
    assert scrape.series("gate_model_readiness_ratio", **BIKE) == {("business",): 0.5, ("risk",): 0}


def test_live_waivers_are_counted_once_with_the_first_end(fleet, verdict, finding):
    until = "waived by A, approved by B, until {}: because, until 2029-01-01: of sensors (X-1)".format
    fleet.keep(
        verdict(
            "bike", "2",
            finding("a", Status.FAIL, waiver=until("2026-12-01")),
            finding("b", Status.FAIL, waiver=until("2026-12-01")),
            finding("c", Status.FAIL, waiver=until("2026-11-25")),
            finding("d", Status.FAIL, waiver=until("2026-11-21")),
            finding("e", Status.FAIL, Dimension.RISK, waiver=until("2026-12-09")),
        )
    )  # fmt: skip
    scrape = fleet.scrape()
    assert scrape.series("gate_waivers_active", model="bike") == {("business",): 2, ("risk",): 1}
    end = datetime(2026, 11, 25, 23, 59, 59, 999_999, tzinfo=UTC).timestamp()
    assert scrape.value("gate_waiver_expiry_timestamp_seconds", model="bike", dimension="business") == end


def test_pilots_are_dated_for_models_that_are_known(fleet, verdict):
    fleet.policy("rides", "bike*", "scooter")
    fleet.keep(verdict("bike-demand"))
    scrape = fleet.scrape()
    began = datetime(2026, 9, 1, tzinfo=UTC).timestamp()
    assert scrape.series("gate_pilot_start_timestamp_seconds") == {("bike-demand",): began, ("scooter",): began}
    assert set(scrape.series("gate_pilot_target_timestamp_seconds").values()) == {
        datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC).timestamp()
    }


# --- drift ------------------------------------------------------------------------------------------------------------


def test_drift_shows_the_score_the_limit_and_whether_that_is_drift(fleet, verdict, drift):
    fleet.keep(
        verdict(
            "bike", "2",
            drift("temp", 0.4, Status.FAIL, interval=(0.3, 0.5)),
            drift("hum", 0.05),
            drift("wind", 0.12, Status.INSUFFICIENT, interval=(0.08, 0.16)),
            drift("gone", None, Status.ERROR),
            drift("shared", 0.3, Status.WARN, interval=(0.2, 0.4)),
            drift("open", 0.12, Status.WARN, interval=(0.08, 0.16)),
            drift("cnt", 0.02, kind="prediction_drift"),
            drift("y", 0.03, kind="target_drift"),
            cause="failed",
        )
    )  # fmt: skip
    scrape = fleet.scrape()
    assert scrape.series("gate_feature_drift_score", **BIKE, method="wasserstein") == {
        ("temp",): 0.4, ("hum",): 0.05, ("wind",): 0.12, ("shared",): 0.3, ("open",): 0.12,
    }  # fmt: skip
    assert len(scrape.series("gate_feature_drift_threshold", **BIKE)) == 6
    assert scrape.series("gate_feature_drift_detected", **BIKE) == {("temp",): 1, ("hum",): 0, ("shared",): 1}
    assert scrape.value("gate_dataset_drift_ratio", **BIKE) == pytest.approx(2 / 3)
    assert scrape.series("gate_output_drift_score", **BIKE, method="wasserstein") == {
        ("prediction",): 0.02,
        ("target",): 0.03,
    }
    assert scrape.value("gate_drift_features_omitted", model="bike") == 0


def test_two_checks_on_one_column_show_the_worse_one(fleet, verdict, drift):
    fleet.keep(verdict("bike", "2", drift("temp", 0.09, limit=0.3), drift("temp", 0.09, Status.FAIL, check="strict")))
    scrape = fleet.scrape()
    assert scrape.series("gate_feature_drift_threshold", **BIKE) == {("temp", "wasserstein"): 0.1}
    assert scrape.value("gate_feature_drift_detected", **BIKE, feature="temp") == 1


def test_the_twenty_worst_features_are_shown_and_all_that_drifted_up_to_fifty(fleet, verdict, drift):
    quiet = [drift(f"q{number:03d}", number / 10_000) for number in range(100)]
    loud = [drift(f"l{number:03d}", 0.2 + number / 100, Status.FAIL) for number in range(60)]
    fleet.keep(verdict("a", "1", *quiet), verdict("b", "1", *quiet, *loud[:25]), verdict("c", "1", *quiet, *loud))
    scrape = fleet.scrape()
    shown = {
        model: {name for name, _ in scrape.series("gate_feature_drift_score", model=model, stage="pilot")}
        for model in "abc"
    }
    assert shown["a"] == {f"q{number:03d}" for number in range(80, 100)}
    assert shown["b"] == {f"l{number:03d}" for number in range(25)}
    assert shown["c"] == {f"l{number:03d}" for number in range(10, 60)}
    assert scrape.series("gate_drift_features_omitted") == {("a",): 80, ("b",): 100, ("c",): 110}


# --- served models ----------------------------------------------------------------------------------------------------


def test_a_served_version_is_promoted_while_its_promotion_is_valid(fleet, verdict):
    fleet.keep(verdict("bike", "2"))
    fleet.serve("bike", "2")
    champion = {"model": "bike", "alias": "champion"}
    assert fleet.scrape().value("gate_served_promoted", **champion) == 1
    assert fleet.scrape().value("gate_served_info", **champion, version="2") == 1
    fleet.now = NOW + timedelta(days=15)
    assert fleet.scrape().value("gate_served_promoted", **champion) == 0


@pytest.mark.parametrize(
    "changes",
    [{"cause": "failed"}, {"enforced": False}, {"overridden": True}, {"stage": "wave-1"},
     {"model": ModelIdentity("bike", "1", "", "", "")}],
    ids=["held", "report only", "overridden", "another stage", "another version"],
)  # fmt: skip
def test_nothing_but_an_enforced_promotion_of_that_version_in_that_stage_counts(fleet, verdict, changes):
    fleet.keep(verdict("bike", "2", **changes))
    fleet.serve("bike", "2")
    assert fleet.scrape().value("gate_served_promoted", model="bike", alias="champion") == 0


def test_a_served_model_that_was_never_judged_is_not_promoted_and_has_no_verdict(fleet):
    fleet.serve("bike", "2")
    scrape = fleet.scrape()
    assert scrape.value("gate_served_promoted", model="bike", alias="champion") == 0
    assert scrape.value("gate_served_held_in_a_row", **BIKE) == 0
    assert scrape.value("gate_model_verdict", **BIKE, verdict="none") == 1


def test_an_alias_that_is_not_set_serves_nothing(fleet):
    fleet.serve("bike", None)
    scrape = fleet.scrape()
    assert scrape.series("gate_served_info") == scrape.series("gate_served_promoted") == {}
    assert scrape.value("gate_served_seen_timestamp_seconds", model="bike", alias="champion") == NOW.timestamp()


def test_holds_in_a_row_are_counted_back_to_the_promotion_on_the_served_version(fleet, verdict, make):
    fleet.serve("bike", "2")
    metrics = Metrics({})
    metrics.register(fleet.collector(keep_seconds=0))

    def held() -> float | None:
        return make["scrape"](metrics).value("gate_served_held_in_a_row", **BIKE)

    fleet.keep(verdict("bike", "2", cause="failed"), verdict("bike", "2"))
    assert held() == 0
    fleet.keep(verdict("bike", "2", cause="insufficient"), verdict("bike", "3", cause="failed"))
    assert held() == 1  # version 3 is not served
    fleet.keep(verdict("bike", "2", cause="failed", enforced=False), verdict("bike", "2", cause="failed"))
    assert held() == 2  # report-only says nothing
    fleet.keep(verdict("bike", "2", cause="failed", overridden=True), verdict("bike", "2", cause="error"))
    assert held() == 2  # nor does data that was named with the request, nor an error
    fleet.keep(verdict("bike", "2", enforced=False), verdict("bike", "2", overridden=True))
    assert held() == 2  # such a promotion ends nothing
    fleet.keep(*[verdict("bike", "2", cause="failed")] * 12)
    assert held() == 10
    fleet.keep(verdict("bike", "2"))
    assert held() == 0


def test_a_hold_does_not_end_the_promotion_of_the_served_version(fleet, verdict):
    fleet.keep(verdict("bike", "2"), *[verdict("bike", "2", cause="failed")] * 11)
    fleet.serve("bike", "2")
    assert fleet.scrape().value("gate_served_promoted", model="bike", alias="champion") == 1


def test_what_says_nothing_hides_no_promotion_however_much_of_it_there_is(fleet, verdict):
    fleet.keep(verdict("bike", "2"), *[verdict("bike", "2", cause="failed", enforced=False)] * 60)
    fleet.serve("bike", "2")
    assert fleet.scrape().value("gate_served_promoted", model="bike", alias="champion") == 1


def test_what_was_read_once_is_not_read_again(fleet, verdict, away, make):
    fleet.keep(verdict("bike", "2"), *[verdict("bike", "2", cause="failed", enforced=False)] * 25)
    fleet.serve("bike", "2")
    metrics = Metrics({})
    metrics.register(collector_of(away, fleet, keep_seconds=0, timeout_seconds=60))
    metrics.render()
    assert away.pages == 3
    fleet.keep(verdict("bike", "2", cause="failed"))
    scrape = make["scrape"](metrics)
    assert away.pages == 4
    assert scrape.value("gate_served_promoted", model="bike", alias="champion") == 1
    assert scrape.value("gate_served_held_in_a_row", **BIKE) == 1
    metrics.render()
    assert away.pages == 4


def test_a_served_version_was_evaluated_when_it_was_last_decided_on_by_its_policy(fleet, verdict):
    fleet.serve("bike", "2")
    champion = {"model": "bike", "alias": "champion"}
    assert fleet.scrape().series("gate_served_evaluated_timestamp_seconds") == {}
    fleet.keep(
        verdict("bike", "2", cause="failed", evaluated_at=NOW - 9 * HOUR),
        verdict("bike", "3", evaluated_at=NOW - 8 * HOUR),
        verdict("bike", "2", enforced=False),
        verdict("bike", "2", overridden=True),
        verdict("bike", "2", cause="error"),
    )
    assert fleet.scrape().value("gate_served_evaluated_timestamp_seconds", **champion) == (NOW - 9 * HOUR).timestamp()


def test_a_promotion_on_data_that_was_named_with_the_request_is_shown_as_one_that_is_not_enforced(fleet, verdict):
    fleet.keep(verdict(overridden=True))
    assert fleet.scrape().value("gate_model_verdict_enforced", **BIKE) == 0


# --- work -------------------------------------------------------------------------------------------------------------


def test_the_line_is_always_counted_and_its_age_only_while_there_is_one(fleet):
    empty = fleet.scrape()
    assert empty.series("gate_queue_jobs") == {("queued",): 0, ("running",): 0}
    assert empty.series("gate_queue_oldest_job_timestamp_seconds") == {}
    fleet.queue("e-1")
    fleet.queue("e-2", created_at=NOW)
    waiting = fleet.scrape()
    assert waiting.series("gate_queue_jobs") == {("queued",): 2, ("running",): 0}
    assert waiting.value("gate_queue_oldest_job_timestamp_seconds") == (NOW - HOUR).timestamp()
    fleet.store.evaluations.start("e-1", "w", NOW, NOW + HOUR)
    assert fleet.scrape().series("gate_queue_jobs") == {("queued",): 1, ("running",): 1}


def test_the_last_success_of_the_clock_is_not_forgotten_for_newer_work_of_others(fleet, verdict, make):
    fleet.keep(verdict("bike", "2", evaluated_at=NOW - HOUR), trigger=Trigger.SCHEDULE)
    metrics = Metrics({})
    metrics.register(fleet.collector(keep_seconds=0))
    metrics.render()
    fleet.keep(verdict("bike", "2"), trigger=Trigger.CI)
    assert make["scrape"](metrics).series("gate_evaluation_last_success_timestamp_seconds") == {
        ("schedule",): (NOW - HOUR).timestamp(),
        ("ci",): NOW.timestamp(),
    }


def test_an_evaluation_without_a_verdict_is_no_success(fleet):
    fleet.queue("e-1")
    fleet.store.evaluations.end("e-1", State.CANCELLED, NOW)
    assert fleet.scrape().series("gate_evaluation_last_success_timestamp_seconds") == {}


# --- a database that is away ------------------------------------------------------------------------------------------


class Away:
    """An archive whose database is away, or hangs, or answers."""

    def __init__(self, fleet) -> None:
        self.archive = fleet.store.verdicts
        self.trouble: Exception | None = None
        self.hangs = False
        self.may_answer = threading.Event()
        self.reads = self.pages = 0

    def standings(self):
        self.reads += 1
        if self.hangs:
            self.may_answer.wait(60)
        if self.trouble:
            raise self.trouble
        return self.archive.standings()

    def page(self, **asked):
        self.pages += 1
        return self.archive.page(**asked)

    def __getattr__(self, name: str):
        return getattr(self.archive, name)


@pytest.fixture
def away(fleet) -> Away:
    return Away(fleet)


def scraped(collector: StateCollector) -> dict[str, float]:
    return {
        sample.name: sample.value for family in collector.collect() for sample in family.samples if not sample.labels
    }


def names(collector: StateCollector) -> set[str]:
    return {sample.name for family in collector.collect() for sample in family.samples}


def collector_of(away: Away, fleet, **options) -> StateCollector:
    return StateCollector(away, fleet.store.evaluations, fleet.policies, now=lambda: NOW, **options)


def test_a_database_that_is_away_is_not_a_fleet_without_problems(away, fleet, verdict, caplog):
    caplog.set_level(logging.INFO, "gate")
    fleet.keep(verdict())
    collector = collector_of(away, fleet, keep_seconds=0)
    assert scraped(collector)["gate_state_read_success"] == 1
    away.trouble = StoreError("postgresql://db/gate: the connection is refused")
    assert scraped(collector)["gate_state_read_success"] == 0
    assert names(collector) == {
        "gate_state_read_success",
        "gate_state_last_success_timestamp_seconds",
        "gate_state_read_duration_seconds",
    }
    assert scraped(collector)["gate_state_last_success_timestamp_seconds"] == NOW.timestamp()
    away.trouble = None
    assert scraped(collector)["gate_state_read_success"] == 1
    assert caplog.messages == [
        "the state cannot be read for the metrics: postgresql://db/gate: the connection is refused",
        "the state can be read for the metrics again",
    ]


def test_even_a_bug_fails_no_scrape(away, fleet):
    away.trouble = ZeroDivisionError("a bug")
    collector = collector_of(away, fleet)
    assert scraped(collector) == {"gate_state_read_success": 0}


def test_a_database_that_hangs_holds_up_no_scrape_and_only_one_thread(away, fleet):
    away.hangs = True
    collector = collector_of(away, fleet, timeout_seconds=0.05)
    for _ in range(5):
        assert scraped(collector)["gate_state_read_success"] == 0
    assert away.reads == 1
    away.may_answer.set()
    collector._running and collector._running[0].result(60)
    away.hangs = False
    assert scraped(collector)["gate_state_read_success"] == 1


def test_scrapes_close_to_each_other_cost_one_read(away, fleet):
    collector = collector_of(away, fleet, keep_seconds=3600, timeout_seconds=60)
    threads = [threading.Thread(target=scraped, args=(collector,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert away.reads == 1


def test_a_document_that_nobody_can_read_is_an_error_and_hides_no_other(fleet, away, verdict, caplog):
    fleet.keep(verdict("bike"), verdict("tram"))
    whole = fleet.store.verdicts.standings()
    away.archive = type(
        "Spoilt", (), {
            "standings": lambda _: [replace(whole[0], document={"schema": "gate.verdict/v9"}), whole[1]],
            "__getattr__": lambda _, name: getattr(fleet.store.verdicts, name),
        },
    )()  # fmt: skip
    samples = [sample for family in collector_of(away, fleet).collect() for sample in family.samples]
    words = {s.labels["model"]: s.labels["verdict"] for s in samples if s.name == "gate_model_verdict" and s.value}
    assert words == {"bike": "error", "tram": "promote"}
    assert caplog.messages == ["verdict 00000001 cannot be summarised: KeyError: 'findings'"]


def test_a_damaged_verdict_is_an_error_of_its_model_and_hides_no_other(fleet, verdict):
    fleet.keep(verdict("bike"), verdict("tram"))
    with fleet.damaged("00000001"):
        scrape = fleet.scrape()
        said = scrape.series("gate_model_verdict", stage="pilot")
        assert {place for place, value in said.items() if value} == {("bike", "error"), ("tram", "promote")}
        assert scrape.value("gate_state_read_success") == 1
    assert fleet.scrape().value("gate_model_verdict", **BIKE, verdict="promote") == 1


def test_what_is_restored_is_shown_as_it_was_without_a_restart(fleet, verdict, make):
    fleet.keep(verdict())
    metrics = Metrics({})
    metrics.register(fleet.collector(keep_seconds=0))
    with fleet.damaged("00000001"):
        assert make["scrape"](metrics).value("gate_model_verdict", **BIKE, verdict="error") == 1
    assert make["scrape"](metrics).value("gate_model_verdict", **BIKE, verdict="promote") == 1


def test_a_damaged_verdict_on_what_serves_leaves_it_without_a_promotion_and_hides_no_other(fleet, verdict, caplog):
    fleet.keep(verdict("bike"), verdict("bike", "3"), verdict("tram"))
    fleet.serve("bike", "2")
    fleet.serve("tram", "2")
    with fleet.damaged("00000001"):
        scrape = fleet.scrape()
        assert scrape.value("gate_state_read_success") == 1
        assert scrape.series("gate_served_promoted", alias="champion") == {("bike",): 0, ("tram",): 1}
    (said,) = caplog.messages
    assert said.startswith("left out of the metrics: bike version 2: sqlite:")
    assert said.endswith(": verdict 00000001 was changed after it was stored (its digest does not match)")
    assert fleet.scrape().series("gate_served_promoted", alias="champion") == {("bike",): 1, ("tram",): 1}


def test_a_verdict_is_summarised_once(fleet, verdict, monkeypatch):
    from gate.telemetry import state

    seen: list[str] = []
    real = state.summarise
    monkeypatch.setattr(state, "summarise", lambda document: seen.append(document["id"]) or real(document))
    fleet.keep(verdict("bike"), verdict("tram"))
    collector = fleet.collector(keep_seconds=0)
    scraped(collector)
    fleet.keep(verdict("bike", "3"))
    scraped(collector)
    assert seen == ["00000001", "00000002", "00000003"]


def test_with_the_state_turned_off_nothing_of_it_is_there():
    text = Metrics({}).render()[0].decode()
    assert [name for name in STATE if f"# TYPE {name} " in text] == []
    assert "gate_state_" not in text


# --- hostile names, and many of them ----------------------------------------------------------------------------------

TEXT = st.text(max_size=400)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(TEXT, TEXT)
def test_whatever_a_model_and_a_column_are_called_the_scrape_parses_with_one_series_each(make, name, column):
    made = make["verdict"](name, "2", make["drift"](column, 0.4, Status.FAIL))
    archive = SimpleNamespace(
        standings=lambda: [Standing(name, "pilot", "v", Trigger.CI, document_of(made))],
        totals=dict, backlog=lambda: Backlog({}, None), served=list,
    )  # fmt: skip
    evaluations = SimpleNamespace(page=lambda **_: ([], None))
    metrics = Metrics({})
    metrics.register(StateCollector(archive, evaluations, lambda: PolicySet("p", ()), timeout_seconds=60))

    families = {f.name: f for f in text_string_to_metric_families(metrics.render()[0].decode())}
    (sample,) = families["gate_feature_drift_score"].samples
    assert (sample.labels["model"], sample.labels["feature"]) == (label_text(name), label_text(column))
    assert len(families["gate_model_verdict"].samples) == 6
    assert all(len(value) <= 200 and value.isprintable() for value in sample.labels.values())


def test_a_name_that_forges_a_series_is_only_a_name(fleet, verdict):
    name = 'x"} 1\ngate_served_promoted{model="bike",alias="champion"} 1\n# '
    fleet.keep(verdict(name))
    scrape = fleet.scrape()
    assert scrape.series("gate_served_promoted") == {}
    assert {model for model, _ in scrape.series("gate_model_verdict", verdict="promote")} == {label_text(name)}


def test_long_names_that_begin_alike_stay_apart(fleet, verdict):
    names = ["m" * 210 + "1", "m" * 210 + "2"]
    fleet.keep(*map(verdict, names))
    assert len(fleet.scrape().series("gate_model_verdict", verdict="promote")) == 2
    assert label_text("m" * 200) == "m" * 200
    assert len(label_text("m" * 201)) == 200


def test_names_that_become_the_same_label_are_one_series_and_break_no_scrape(fleet, verdict):
    fleet.keep(verdict("a\n"), verdict("a\\n", cause="failed"))
    lines = fleet.scrape().text.splitlines()
    assert len(lines) == len(set(lines))
    assert len([line for line in lines if line.startswith("gate_model_verdict_enforced{")]) == 1


@pytest.mark.slow
def test_500_models_of_200_features_stay_within_the_bound_and_say_what_is_left_out(make):
    columns = [make["drift"](f"c{n:03d}", n / 1000, Status.FAIL if n > 100 else Status.PASS) for n in range(200)]
    document = document_of(make["verdict"]("m", "2", *columns, cause="failed"))
    standings = [Standing(f"m{n:03d}", "pilot", "v", Trigger.CI, document) for n in range(500)]
    archive = SimpleNamespace(
        standings=lambda: standings, totals=dict, backlog=lambda: Backlog({}, None), served=list
    )  # fmt: skip
    evaluations = SimpleNamespace(page=lambda **_: ([], None))
    metrics = Metrics({})
    metrics.register(StateCollector(archive, evaluations, lambda: PolicySet("p", ()), timeout_seconds=60))
    text = metrics.render()[0].decode()
    series = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(series) < 20_000
    state = [line for line in series if line.split("{")[0] in STATE]
    assert len(state) <= 18_000
    shown = [line for line in series if line.startswith("gate_feature_drift_score{")]
    dropped = float(next(line for line in series if line.startswith("gate_metrics_series_dropped ")).split()[1])
    assert len(shown) % 500 == 0  # every model gives up equally many
    assert dropped == 3 * (500 * 50 - len(shown))
    omitted = [float(line.split()[1]) for line in series if line.startswith("gate_drift_features_omitted{")]
    assert sum(omitted) == 500 * 200 - len(shown)
    assert len([line for line in series if line.startswith("gate_model_verdict{")]) == 3000


def test_more_models_than_there_is_room_for_are_counted(fleet, verdict):
    fleet.keep(*(verdict(f"m{number:02d}") for number in range(20)))
    scrape = fleet.scrape(most_series=100)
    state = [name for family in scrape.families.values() for name in (s.name for s in family.samples) if name in STATE]
    assert len(state) == 100
    assert scrape.value("gate_metrics_series_dropped") > 0
