"""From a verdict's document to the numbers that are exported of it. Pure; a document is summarised once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gate.domain.finding import Severity, Status
from gate.domain.moments import end_of, parse_day, parse_moment
from gate.domain.verdict import Decision

_FEATURE_DRIFT = "feature_drift"
_OUTPUT_DRIFT: Mapping[str, str] = {"prediction_drift": "prediction", "target_drift": "target"}

# As `gate.domain.waiver` writes its sentence. The day is the only part that is read back, and only to be drawn.
_WAIVED_UNTIL = re.compile(r", until (\d{4}-\d{2}-\d{2}): ")


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one column moved by one method, and how far it may. `drifted` is None while the data does not decide."""

    name: str
    method: str
    score: float | None
    threshold: float
    drifted: bool | None

    @property
    def reach(self) -> float:
        """The score in thresholds: what makes columns and methods comparable."""
        if self.score is None:
            return -1.0
        return self.score / self.threshold if self.threshold > 0 else float("inf") if self.score > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver that a verdict rests on."""

    dimension: str
    sentence: str
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What is exported of a verdict."""

    version: str
    verdict: str
    enforced: bool
    policy: str
    given: datetime
    valid_until: datetime
    blockers: Mapping[str, int] = field(default_factory=dict)
    readiness: Mapping[str, float] = field(default_factory=dict)
    features: tuple[Drift, ...] = ()
    outputs: tuple[Drift, ...] = ()
    drifted_share: float | None = None
    waivers: tuple[Waived, ...] = ()
    reference_until: datetime | None = None
    current_until: datetime | None = None
    current_rows: int | None = None


def summarise(document: Mapping[str, Any]) -> Summary:
    """Read a verdict. KeyError, TypeError or ValueError if it is none."""
    findings = document["findings"]
    blockers, readiness = _progress(findings)
    features = _worst_of_each(_drifts(findings, {_FEATURE_DRIFT: None}))
    decided = {drift.name: False for drift in features if drift.drifted is not None}
    decided |= {drift.name: True for drift in features if drift.drifted}
    return Summary(
        version=document["model"]["version"],
        verdict=word_of(document),
        enforced=is_by_policy(document),
        policy=document["policy"]["name"],
        given=parse_moment(document["evaluated_at"]),
        valid_until=parse_moment(document["valid_until"]),
        blockers=blockers,
        readiness=readiness,
        features=features,
        outputs=_worst_of_each(_drifts(findings, _OUTPUT_DRIFT)),
        drifted_share=sum(decided.values()) / len(decided) if decided else None,
        waivers=tuple(dict.fromkeys(_waived(finding) for finding in findings if finding["waiver"])),
        reference_until=_moment(document["data"]["reference"]["until"]),
        current_until=_moment(document["data"]["current"]["until"]),
        current_rows=document["data"]["current"]["rows"],
    )


def word_of(document: Mapping[str, Any]) -> str:
    """What a verdict says in one word: promote, or the cause of the hold."""
    return str(document["decision"] if document["decision"] == Decision.PROMOTE else document["cause"])


def is_by_policy(document: Mapping[str, Any]) -> bool:
    """Whether a verdict may promote: neither report-only, nor on data that was named with the request."""
    return bool(document["enforced"]) and not document["data"]["overridden"]


def _progress(findings: Iterable[Mapping[str, Any]]) -> tuple[dict[str, int], dict[str, float]]:
    """Count the checks in the way, and the share of those that are not, by dimension. The worst finding counts."""
    passes: dict[tuple[str, str], bool] = {}
    for finding in findings:
        if finding["severity"] != Severity.INFO:
            check = finding["dimension"], finding["check"]
            lets_through = finding["status"] in (Status.PASS, Status.WARN) or finding["waived"]
            passes[check] = passes.get(check, True) and lets_through
    by_dimension: dict[str, list[bool]] = {}
    for (dimension, _), passed in passes.items():
        by_dimension.setdefault(dimension, []).append(passed)
    return (
        {dimension: passed.count(False) for dimension, passed in by_dimension.items()},
        {dimension: passed.count(True) / len(passed) for dimension, passed in by_dimension.items()},
    )


def _drifts(findings: Iterable[Mapping[str, Any]], kinds: Mapping[str, str | None]) -> Iterator[Drift]:
    """The distances that checks of some kinds held against a limit; `kinds` may give their column another name."""
    for finding in findings:
        column, limit = finding["subject"].get("column"), finding["limit"] or {}
        if finding["kind"] in kinds and column is not None and "max" in limit:
            name = kinds[finding["kind"]] or column
            yield Drift(name, finding["method"] or "none", finding["measured"], limit["max"], _drifted(finding))


def _drifted(finding: Mapping[str, Any]) -> bool | None:
    """Whether the column certainly moved too far. Where a share of columns decides, its own failure is a warning."""
    match finding["status"]:
        case Status.PASS:
            return False
        case Status.FAIL:
            return True
        case Status.WARN if finding["measured"] is not None:
            low = finding["interval"][0] if finding["interval"] else finding["measured"]
            return True if low > finding["limit"]["max"] else None
        case _:
            return None


def _worst_of_each(drifts: Iterable[Drift]) -> tuple[Drift, ...]:
    """Keep one of the checks that measure the same column by the same method: the one that goes farthest."""
    kept: dict[tuple[str, str], Drift] = {}
    for drift in drifts:
        place = drift.name, drift.method
        if place not in kept or (bool(drift.drifted), drift.reach) > (bool(kept[place].drifted), kept[place].reach):
            kept[place] = drift
    return tuple(kept.values())


def _waived(finding: Mapping[str, Any]) -> Waived:
    until = _WAIVED_UNTIL.search(finding["waiver"])
    return Waived(finding["dimension"], finding["waiver"], end_of(parse_day(until[1])) if until else None)


def _moment(text: str | None) -> datetime | None:
    return parse_moment(text) if text else None
