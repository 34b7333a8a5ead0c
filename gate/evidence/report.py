"""The Evidently report: every measurement runs in it, and the numbers of the verdict are read back from it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from evidently import Report
from evidently.core.metric_types import CountValue, Metric, MetricResult, SingleValue

from gate.domain.evidence import Measured, Missing
from gate.domain.picture import Distribution
from gate.errors import EvidenceError
from gate.evidence.asking import NEVER_CAUGHT
from gate.evidence.inert import inert_html
from gate.evidence.measurement import Measurement
from gate.evidence.metrics import ProfileDataset, metric_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reported:
    """What came out of the report.

    Attributes:
        snapshot: Evidently's.
        readings: one for each measurement, in their order; the value is the one that the snapshot holds.
    """

    snapshot: Any
    readings: tuple[Measured | Missing, ...]

    def files(self) -> dict[str, bytes]:
        """The snapshot that Evidently's workspace opens, and its page."""
        page = inert_html(self.snapshot.get_html_str(as_iframe=False))
        return {"evidently.json": self.snapshot.dumps().encode(), "evidently.html": page.encode()}


def run_report(
    measurements: Sequence[Measurement],
    now: datetime,
    pictures: Mapping[str, Distribution] | None = None,
    build: Callable[[Measurement], Metric] = metric_of,
) -> Reported:
    """Run all measurements in one Evidently Report and read their numbers back.

    One failing metric ends a whole Report. So when it raises, each metric is run alone, those that fail become
    broken Missing, and the report is made again without them and lists them in its metadata under `absent`.

    Args:
        measurements: with their numbers still to be taken, or already taken.
        now: the timestamp of the snapshot.
        pictures: both distributions of a column, to be drawn below its drift.
        build: makes the metric that shows a measurement.

    Raises:
        EvidenceError: metrics that run alone do not run together, or a result is not what was measured.
    """
    metrics = [build(measurement) for measurement in measurements]
    shown: dict[str, Measurement] = {}
    distinct: dict[str, Metric] = {}
    for metric, measurement in zip(metrics, measurements, strict=True):
        distinct.setdefault(metric.metric_id, metric)
        shown[metric.metric_id] = _closer(shown.get(metric.metric_id), measurement)
    profile = ProfileDataset(shown, pictures)
    broken: dict[str, Missing] = {}
    try:
        snapshot = _run(distinct.values(), profile, now)
    except NEVER_CAUGHT:
        raise
    except BaseException as crash:  # Evidently raises some errors outside of Exception
        _log.warning("the Evidently report failed; its metrics run alone now", exc_info=crash)
        broken = _culprits(distinct, profile, now)
        if not broken:
            raise EvidenceError(f"the Evidently report failed as a whole: {_said(crash)}") from crash
        absent = [f"{distinct[metric_id].title()}: {missing.reason}" for metric_id, missing in broken.items()]
        snapshot = _run([m for metric_id, m in distinct.items() if metric_id not in broken], profile, now, absent)
    results: Mapping[str, MetricResult] = snapshot.metric_results
    readings = tuple(
        broken.get(metric.metric_id) or _read_back(measurement, shown[metric.metric_id], results[metric.metric_id])
        for metric, measurement in zip(metrics, measurements, strict=True)
    )
    return Reported(snapshot, readings)


def _closer(known: Measurement | None, other: Measurement) -> Measurement:
    """Of two measurements of one thing, the one with the smaller error: a limit may have asked it closer."""
    if known is None:
        return other
    try:
        return other if other.measured.bound < known.measured.bound else known
    except Exception:  # noqa: BLE001  # the metric will raise it again, where the culprit is found
        return known


def _run(metrics: Iterable[Metric], profile: ProfileDataset, now: datetime, absent: Sequence[str] = ()) -> Any:
    metadata = {"absent": list(absent)} if absent else {}
    return Report(list(metrics), metadata=metadata).run(profile, None, timestamp=now, name="gate")


def _culprits(metrics: Mapping[str, Metric], profile: ProfileDataset, now: datetime) -> dict[str, Missing]:
    """Run each metric alone; those that raise, with what they said."""
    broken: dict[str, Missing] = {}
    for metric_id, metric in metrics.items():
        try:
            _run([metric], profile, now)
        except NEVER_CAUGHT:
            raise
        except BaseException as crash:  # noqa: BLE001  # as above
            broken[metric_id] = Missing(f"{metric.title()} could not be computed: {_said(crash)}", broken=True)
    return broken


def _said(crash: BaseException) -> str:
    return f"{type(crash).__name__}: {crash}"


def _read_back(own: Measurement, shown: Measurement, result: MetricResult) -> Measured:
    """The reading with the number that the report shows; details and interval are its own."""
    match result:
        case SingleValue():
            value = result.value
        case CountValue():
            value = result.share.value
        case _:
            raise EvidenceError(f"{own.metric} gave a {type(result).__name__}, which holds no single number")
    return replace(own.measured, value=float(value), bound=shown.measured.bound)
