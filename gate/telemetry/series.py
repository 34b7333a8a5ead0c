"""From the state of the database to series, the most important ones first: what has no room is left out at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from gate.domain.evaluation import Served, State
from gate.domain.moments import end_of
from gate.flow.conclude import FIRST_STAGE
from gate.flow.ports import Backlog
from gate.policy.load import LoadedPolicy
from gate.policy.match import PolicySet
from gate.telemetry.catalogue import DIMENSIONS, JOB_STATES, NONE, TRIGGERS, VERDICTS
from gate.telemetry.sheet import Sheet
from gate.telemetry.summary import Drift, Summary

_CLOSEST, _MOST_FEATURES = 20, 50  # features of a model in a stage: the worst ones, and with all that drifted
_SERIES_OF_A_FEATURE = 3
_GLOB = re.compile(r"[*?\[]")

Place = tuple[str, str]  # model, stage


@dataclass(frozen=True, slots=True)
class Record:
    """What the verdicts on a served version say: holds since its promotion, until when that is valid, and the last one.

    Report-only verdicts, those on data that was named with the request, and errors say nothing.
    """

    held_in_a_row: int = 0
    promoted_until: datetime | None = None
    evaluated: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of the database at one moment, summarised."""

    now: datetime
    summaries: Mapping[Place, Summary]
    totals: Mapping[tuple[str, str, str], int]
    backlog: Backlog
    served: Sequence[tuple[Served, Record]]
    last_success: Mapping[str, datetime]
    policies: PolicySet


def write(reading: Reading, most: int) -> Sheet:
    """Write all series of the state."""
    sheet = Sheet(most)
    _fleet(reading, sheet)
    _served(reading, sheet)
    known = _places(reading)
    policies = _policies({model for model, _ in known}, reading)
    for place in known:
        _verdict(place, reading, policies[place[0]], sheet)
    for place, summary in sorted(reading.summaries.items()):
        _readiness(place, summary, sheet)
    _waivers(reading, sheet)
    _pilots(policies, sheet)
    for place, summary in sorted(reading.summaries.items()):
        _data(place, summary, sheet)
    _features(reading.summaries, sheet)
    return sheet


def _fleet(reading: Reading, sheet: Sheet) -> None:
    """Write what is about no model in particular."""
    for state in JOB_STATES:
        sheet.put("gate_queue_jobs", reading.backlog.counts.get(State(state), 0), state)
    if reading.backlog.oldest_queued is not None:
        sheet.put("gate_queue_oldest_job_timestamp_seconds", reading.backlog.oldest_queued.timestamp())
    for trigger, at in sorted(reading.last_success.items()):
        sheet.put("gate_evaluation_last_success_timestamp_seconds", at.timestamp(), trigger)
    for policy in reading.policies.policies:
        sheet.put("gate_policy_info", 1, policy.policy.name, policy.digest.removeprefix("sha256:")[:8])
    for stage in sorted({FIRST_STAGE, *(stage for stage, _, _ in reading.totals)}):
        for word in VERDICTS:
            for trigger in TRIGGERS:  # also those that are still 0: an increase from nothing to 1 is none
                sheet.put("gate_verdicts_total", reading.totals.get((stage, word, trigger), 0), stage, word, trigger)


def _served(reading: Reading, sheet: Sheet) -> None:
    held: dict[Place, int] = {}
    for served, record in reading.served:
        sheet.put("gate_served_seen_timestamp_seconds", served.seen_at.timestamp(), served.model_name, served.alias)
        if served.version is None:
            continue
        is_live = record.promoted_until is not None and record.promoted_until > reading.now
        sheet.put("gate_served_promoted", is_live, served.model_name, served.alias)
        sheet.put("gate_served_info", 1, served.model_name, served.alias, served.version)
        if record.evaluated is not None:
            at = record.evaluated.timestamp()
            sheet.put("gate_served_evaluated_timestamp_seconds", at, served.model_name, served.alias)
        place = served.model_name, served.stage
        held[place] = max(held.get(place, 0), record.held_in_a_row)
    for place, times in held.items():
        sheet.put("gate_served_held_in_a_row", times, *place)


def _places(reading: Reading) -> list[Place]:
    """Models that have a verdict, are served, or are named by a policy in full; by name."""
    named = {
        (name, FIRST_STAGE)
        for policy in reading.policies.policies
        for name in policy.policy.applies_to.models
        if not _GLOB.search(name)
    }
    served = {(served.model_name, served.stage) for served, _ in reading.served}
    return sorted({*reading.summaries, *named, *served})


def _verdict(place: Place, reading: Reading, policy: LoadedPolicy | None, sheet: Sheet) -> None:
    summary = reading.summaries.get(place)
    word = summary.verdict if summary else NONE
    for other in (*VERDICTS, NONE):
        sheet.put("gate_model_verdict", other == word, *place, other)
    if summary is None:
        return
    sheet.put("gate_model_verdict_enforced", summary.enforced, *place)
    sheet.put("gate_model_verdict_timestamp_seconds", summary.given.timestamp(), *place)
    sheet.put("gate_verdict_valid_until_timestamp_seconds", summary.valid_until.timestamp(), *place)
    pilot = policy.policy.pilot if policy else None
    sheet.put(
        "gate_model_info", 1, *place, summary.version, (pilot and pilot.risk) or "",
        (policy and policy.policy.owner) or "", summary.policy, (pilot and pilot.department) or "",
    )  # fmt: skip


def _policies(models: Iterable[str], reading: Reading) -> dict[str, LoadedPolicy | None]:
    """The policy in force for each model: the one that its newest verdict names, else the first whose globs fit."""
    named: dict[str, str] = {}
    for (model, _), summary in sorted(reading.summaries.items(), key=lambda item: item[1].given):
        named[model] = summary.policy
    chosen: dict[str, LoadedPolicy | None] = {}
    for model in sorted(models):
        fitting = reading.policies.naming(model)
        judged = (policy for policy in fitting if policy.policy.name == named.get(model))
        chosen[model] = next(iter((*judged, *fitting)), None)
    return chosen


def _readiness(place: Place, summary: Summary, sheet: Sheet) -> None:
    for dimension in DIMENSIONS:
        sheet.put("gate_model_blockers", summary.blockers.get(dimension, 0), *place, dimension)
        if dimension in summary.readiness:
            sheet.put("gate_model_readiness_ratio", summary.readiness[dimension], *place, dimension)


def _waivers(reading: Reading, sheet: Sheet) -> None:
    """Write the waivers of each model over its stages; one that is in two verdicts is one."""
    lasting: dict[tuple[str, str], dict[str, datetime | None]] = {}
    for (model, _), summary in sorted(reading.summaries.items()):
        for waiver in summary.waivers:
            if waiver.expires is None or waiver.expires >= reading.now:
                lasting.setdefault((model, waiver.dimension), {})[waiver.sentence] = waiver.expires
    for where, waivers in lasting.items():
        sheet.put("gate_waivers_active", len(waivers), *where)
        ends = [end for end in waivers.values() if end is not None]
        if ends:
            sheet.put("gate_waiver_expiry_timestamp_seconds", min(ends).timestamp(), *where)


def _pilots(policies: Mapping[str, LoadedPolicy | None], sheet: Sheet) -> None:
    for model, policy in policies.items():
        pilot = policy.policy.pilot if policy else None
        if pilot and pilot.started:
            began = datetime.combine(pilot.started, time.min, tzinfo=UTC)
            sheet.put("gate_pilot_start_timestamp_seconds", began.timestamp(), model)
        if pilot and pilot.decide_by:
            sheet.put("gate_pilot_target_timestamp_seconds", end_of(pilot.decide_by).timestamp(), model)


def _data(place: Place, summary: Summary, sheet: Sheet) -> None:
    if summary.reference_until:
        sheet.put("gate_reference_data_timestamp_seconds", summary.reference_until.timestamp(), *place)
    if summary.current_until:
        sheet.put("gate_current_data_timestamp_seconds", summary.current_until.timestamp(), *place)
    if summary.current_rows is not None:
        sheet.put("gate_current_data_rows", summary.current_rows, *place)
    if summary.drifted_share is not None:
        sheet.put("gate_dataset_drift_ratio", summary.drifted_share, *place)
    for output in summary.outputs:
        if output.score is not None:
            sheet.put("gate_output_drift_score", output.score, *place, output.name, output.method)
        sheet.put("gate_output_drift_threshold", output.threshold, *place, output.name, output.method)


def _features(summaries: Mapping[Place, Summary], sheet: Sheet) -> None:
    """Write each model's worst features. Where they do not fit together, every model gives up equally many."""
    chosen = {place: _worst(summary.features) for place, summary in sorted(summaries.items())}
    room = sheet.room - len({model for model, _ in chosen})  # one series says how many are left out
    share = _fair_share([len(features) for features in chosen.values()], max(0, room) // _SERIES_OF_A_FEATURE)
    omitted: dict[str, int] = {}
    for (model, stage), features in chosen.items():
        total = len(summaries[model, stage].features)
        omitted[model] = omitted.get(model, 0) + total - min(len(features), share)
        sheet.dropped += _SERIES_OF_A_FEATURE * max(0, len(features) - share)
    for model, number in omitted.items():
        sheet.put("gate_drift_features_omitted", number, model)
    for place, features in chosen.items():
        for drift in features[:share]:
            if drift.score is not None:
                sheet.put("gate_feature_drift_score", drift.score, *place, drift.name, drift.method)
            sheet.put("gate_feature_drift_threshold", drift.threshold, *place, drift.name, drift.method)
        for name, drifted in _decided(features[:share]).items():
            sheet.put("gate_feature_drift_detected", drifted, *place, name)


def _worst(features: Sequence[Drift]) -> tuple[Drift, ...]:
    """Choose the features to show: those that drifted, then those nearest to their threshold."""
    drifted = sorted((f for f in features if f.drifted), key=_by_reach)
    closest = set(sorted(features, key=_by_reach)[:_CLOSEST])
    rest = sorted((f for f in features if not f.drifted and f in closest), key=_by_reach)
    return (*drifted, *rest)[:_MOST_FEATURES]


def _by_reach(drift: Drift) -> tuple[float, str, str]:
    return -drift.reach, drift.name, drift.method


def _fair_share(wanted: Sequence[int], room: int) -> int:
    """Find the largest number such that everybody gets what they want up to it, and all of it fits the room."""
    share = 0
    while share < max(wanted, default=0) and sum(min(want, share + 1) for want in wanted) <= room:
        share += 1
    return share


def _decided(features: Iterable[Drift]) -> dict[str, bool]:
    """Feature -> whether it drifted by any method; without those that the data does not decide."""
    decided: dict[str, bool] = {}
    for drift in features:
        if drift.drifted is not None:
            decided[drift.name] = decided.get(drift.name, False) or drift.drifted
    return decided
