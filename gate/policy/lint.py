"""Advice about a policy that is right and yet may not do what its author means.

An error is something that makes a check pass or hold whatever the data says; a warning is worth a second look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from gate.checks.contract import Check
from gate.checks.drift import DriftCheck
from gate.checks.evidently import EvidentlyCheck
from gate.checks.metric import MetricCheck, Segments
from gate.domain.distances import METHODS
from gate.domain.finding import Severity
from gate.domain.metrics import METRICS
from gate.domain.need import Limit
from gate.policy.document import Path
from gate.policy.evidently import complaints
from gate.policy.load import LoadedBase
from gate.policy.merge import effective
from gate.policy.model import Policy

Level = Literal["error", "warning"]

FEW_ROWS = 100  # below it, a share of 10 % is known to within about +- 6 points at 95 % confidence


@dataclass(frozen=True, slots=True, order=True)
class Advice:
    """One remark about one line."""

    file: str
    line: int | None
    level: Level
    message: str

    def __str__(self) -> str:
        """Render as `file:line: level: message`."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.level}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Remark:
    """An advice before it has a place: about a check, or about a path of the rest."""

    level: Level
    message: str
    path: Path = ()
    check: str | None = None


def lint(loaded: LoadedBase) -> list[Advice]:
    """Look for what is probably not meant, in the order of the files' lines."""
    advice: set[Advice] = set()
    for look in _OF_A_POLICY if isinstance(loaded.policy, Policy) else ():
        advice |= {_placed(loaded, remark) for remark in look(loaded)}
    for remark in _defaults(loaded):
        advice.add(_placed(loaded, remark))
    for check in loaded.checks:
        for look_at in _OF_A_CHECK:
            advice |= {_placed(loaded, remark) for remark in look_at(check, loaded)}
    return sorted(advice, key=lambda one: (one.file, one.line or 0, one.level, one.message))


def _placed(loaded: LoadedBase, remark: _Remark) -> Advice:
    if remark.check is None:
        place, message = loaded.draft.place_of(remark.path), remark.message
    else:
        place = loaded.draft.checks[remark.check].place_of(remark.path)
        message = ".".join((remark.check, *map(str, remark.path))) + f": {remark.message}"
    return Advice(place.file, place.line, remark.level, message)


# --- the policy as a whole --------------------------------------------------------------------------------------------


def _owner(loaded: LoadedBase) -> Iterator[_Remark]:
    if loaded.policy.owner is None:
        yield _Remark("warning", "owner is missing: nobody answers for the outcome after launch")


def _blockers(loaded: LoadedBase) -> Iterator[_Remark]:
    if not any(_severity(check, loaded) is Severity.BLOCKER for check in loaded.checks):
        message = "no check is a blocker: every one of them can be waived"
        yield _Remark("warning", message, ("checks",))


def _gaps(loaded: LoadedBase) -> Iterator[_Remark]:
    """What a policy without a certain kind of check does not see."""
    kinds = {check.kind for check in loaded.checks}
    if "schema_match" not in kinds:
        yield _Remark("warning", "no schema_match: columns may disappear or change their type unnoticed", ("checks",))
    if loaded.policy.task in ("regression", "classification") and "metric" not in kinds:
        yield _Remark("warning", "no metric: whether the model is any good is not judged", ("checks",))


def _champion(loaded: LoadedBase) -> Iterator[_Remark]:
    champion = loaded.policy.champion
    if champion is not None and champion.when_missing == "skip":
        message = "when_missing: skip lets a candidate through without the comparison (as a counted warning)"
        yield _Remark("warning", f"champion.{message}", ("champion", "when_missing"))
    compares = any(isinstance(check, MetricCheck) and check.versus is not None for check in loaded.checks)
    if champion is not None and not compares:
        yield _Remark("warning", "champion: no check compares with it; add versus to a metric", ("champion",))


def _defaults(loaded: LoadedBase) -> Iterator[_Remark]:
    """What the defaults say; about a base too, since whoever extends it inherits them."""
    defaults = loaded.policy.defaults
    if defaults.confidence == "point":
        message = (
            "defaults.confidence: point judges values as if they had no sampling error; name a confidence such as 0.95"
        )
        yield _Remark("warning", message, ("defaults", "confidence"))
    if defaults.min_rows < FEW_ROWS:
        message = f"defaults.min_rows: {defaults.min_rows} rows say little; {FEW_ROWS} are few"
        yield _Remark("warning", message, ("defaults", "min_rows"))


# --- one check --------------------------------------------------------------------------------------------------------


def _confidence(check: Check, _: LoadedBase) -> Iterator[_Remark]:
    if check.confidence == "point":
        message = "point judges the value as if it had no sampling error; name a confidence such as 0.95"
        yield _Remark("warning", message, ("confidence",), check.name)


def _few_rows(check: Check, loaded: LoadedBase) -> Iterator[_Remark]:
    """Distances of small samples are large by chance, and most have no interval that would say so."""
    least = effective(check, loaded.policy).min_rows or 0
    if isinstance(check, DriftCheck) and least < FEW_ROWS:
        message = f"a distance between {least} rows and the reference is mostly chance; ask for {FEW_ROWS} at least"
        yield _Remark("warning", message, ("min_rows",), check.name)
    elif check.min_rows is not None and check.min_rows < FEW_ROWS:
        message = f"{check.min_rows} rows say little; {FEW_ROWS} are few"
        yield _Remark("warning", message, ("min_rows",), check.name)


def _segments(check: Check, _: LoadedBase) -> Iterator[_Remark]:
    if isinstance(check, MetricCheck) and check.segments and check.segments.min_rows is not None:
        least = check.segments.min_rows
        if least < FEW_ROWS // 2:
            message = f"{least} rows of a segment say little; {FEW_ROWS // 2} are few"
            yield _Remark("warning", message, ("segments", "min_rows"), check.name)


def _metric_limits(check: Check, _: LoadedBase) -> Iterator[_Remark]:
    """Beyond the end of a metric's range no limit decides anything; at its best end only a perfect model passes."""
    if not isinstance(check, MetricCheck):
        return
    metric = METRICS[check.metric]
    places: list[tuple[Path, MetricCheck | Segments | None]] = [((), check), (("segments",), check.segments)]
    for where, limits in places:
        if limits is None:
            continue
        ends = [
            ("min", limits.min, metric.high, "only a perfect model reaches"),
            ("min", limits.min, metric.low, "every model reaches"),
            ("max", limits.max, metric.low, "only a perfect model keeps to"),
            ("max", limits.max, metric.high, "every model keeps to"),
        ]
        for edge, value, end, verdict in ends:
            beyond = value is not None and end is not None and (value >= end if end == metric.high else value <= end)
            if beyond:
                message = f"{metric.name} is {Limit(metric.low, metric.high)}: {verdict} {value:g}"
                yield _Remark("error", message, (*where, edge), check.name)
        if metric.name == "roc_auc" and limits.min is not None and 0 < limits.min <= 0.5:
            yield _Remark("warning", "a coin reaches 0.5", (*where, "min"), check.name)


def _share_limits(check: Check, _: LoadedBase) -> Iterator[_Remark]:
    """A share is within 0 to 1, whatever it is a share of; one with a min above 0 still decides."""
    for edge in ("max", "max_share"):
        most = getattr(check, edge, None)
        if most is not None and most >= 1 and _is_share(type(check), edge) and not getattr(check, "min", None):
            yield _Remark("error", f"a share is never above 1: {most:g} lets everything through", (edge,), check.name)


@cache
def _is_share(kind: type[Check], field: str) -> bool:
    """Whether the field takes nothing above 1. Remembered: a schema takes a while to build."""
    schema = kind.model_json_schema()["properties"][field]
    return any(one.get("maximum") == 1 for one in (schema, *schema.get("anyOf", ())))


def _drift_limits(check: Check, _: LoadedBase) -> Iterator[_Remark]:
    if not isinstance(check, DriftCheck):
        return
    if check.max == 0:
        message = "two samples of one population differ a little: 0 holds everything"
        yield _Remark("error", message, ("max",), check.name)
    for name in sorted({check.method.numeric, check.method.categorical}):
        largest = METHODS[name].largest
        if largest is not None and check.max >= largest:
            message = f"{name} is never above {largest:.4g}: {check.max:g} lets everything through"
            yield _Remark("error", message, ("max",), check.name)
    if check.bins == "evidently":
        message = (
            "equal bins over the whole range: one outlier puts all other rows into one bin; prefer bins: reference"
        )
        yield _Remark("warning", message, ("bins",), check.name)


def _unenforced(check: Check, loaded: LoadedBase) -> Iterator[_Remark]:
    if _severity(check, loaded) is Severity.INFO:
        message = "info never decides: the check is shown and not enforced"
        yield _Remark("warning", message, ("severity",), check.name)


def _evidently(check: Check, _: LoadedBase) -> Iterator[_Remark]:
    if not isinstance(check, EvidentlyCheck):
        return
    for key, message in complaints(check.metric, check.parameters, check.field):
        yield _Remark("error", message, (key,), check.name)


def _severity(check: Check, loaded: LoadedBase) -> Severity:
    return check.severity or check.kind_severity or loaded.policy.defaults.severity


_OF_A_POLICY: tuple[Callable[[LoadedBase], Iterator[_Remark]], ...] = (_owner, _blockers, _gaps, _champion)
_OF_A_CHECK: tuple[Callable[[Check, LoadedBase], Iterator[_Remark]], ...] = (
    _confidence, _few_rows, _segments, _metric_limits, _share_limits, _drift_limits, _unenforced, _evidently,
)  # fmt: skip
