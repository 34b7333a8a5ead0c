"""From needs to evidence: ask for the parts, take the numbers, run the report, read the numbers back."""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gate.domain.evidence import Grouped, Measured, Missing, Reading
from gate.domain.need import (
    Age,
    Distinct,
    Drift,
    DuplicateShare,
    EvidentlyMetric,
    LabelledShare,
    LargestGap,
    MissingShare,
    Need,
    NewCategories,
    OutsideRange,
    Overlap,
    PatternShare,
    Quality,
    Rows,
    RowShare,
    RowsPerDay,
)
from gate.domain.picture import Distribution, Pictures, Trail
from gate.domain.scope import Scope
from gate.evidence import census, drift, pictures, quality, rows, sampled, times
from gate.evidence.asking import Sides, Unanswerable
from gate.evidence.columns import Setting
from gate.evidence.measurement import Answer, Answering, Groups, Measurement
from gate.flow.ports import Dataset, Gathered, ReportFiles
from gate.statistics.errors import Undefined

if TYPE_CHECKING:
    from gate.evidence.report import Reported

_log = logging.getLogger(__name__)

FAMILIES: Mapping[type[Need], Callable[[Any, Setting], Answering]] = {
    Rows: census.rows,
    LabelledShare: census.labelled_share,
    MissingShare: census.missing_share,
    DuplicateShare: census.duplicate_share,
    OutsideRange: census.outside_range,
    NewCategories: census.new_categories,
    Distinct: census.distinct,
    Overlap: census.overlap,
    PatternShare: census.pattern_share,
    Age: times.age,
    LargestGap: times.gap,
    RowsPerDay: times.rows_per_day,
    RowShare: rows.row_share,
    Drift: drift.drift,
    Quality: quality.quality,
    EvidentlyMetric: sampled.evidently_metric,
}
"""Who answers which need. A need that nobody answers is a broken Missing, never left out."""


class EvidentlyEvidence:
    """Measures through an Evidently Report; fulfils `gate.flow.ports.EvidenceSource`."""

    def gather(
        self, needs: Sequence[Need], scope: Scope, reference: Dataset, current: Dataset, *, now: datetime, report: bool
    ) -> Gathered:
        """Answer every need; what has no answer is Missing.

        Evidently takes seconds to import, so that begins at once, beside the datasets' work.

        Raises:
            DataError: the rows cannot be read.
            EvidenceError: the Evidently report fails as a whole.
        """
        setting = Setting(scope, reference, current, now)
        sides = Sides(reference, current)
        with ThreadPoolExecutor(1, "import-evidently") as thread:
            library = thread.submit(importlib.import_module, "gate.evidence.report")
            began = time.perf_counter()
            answers = sides.settle({need: _question(need, setting) for need in dict.fromkeys(needs)})
            drawn = _distributions(needs, setting, sides) if report else ()
            profiled = time.perf_counter()
            library.result()
        imported = time.perf_counter()

        taken = {need: _taken(need, answer) for need, answer in answers.items()}
        trails = _trails(taken, setting, sides) if report else ()
        evidence, reported = _reported(taken, now, drawn)
        files = ReportFiles(reported.files()) if report else ReportFiles()
        timings = {"profile": profiled - began, "import": imported - profiled,
                   "report": time.perf_counter() - imported}  # fmt: skip
        return Gathered(evidence, files, Pictures(tuple(drawn), tuple(trails)), timings)


def _question(need: Need, setting: Setting) -> Answering:
    family = FAMILIES.get(type(need))
    if family is None:
        return Missing(f"gate has no way to measure {type(need).__name__}", broken=True)
    try:
        return (yield from family(need, setting))
    except Undefined as undefined:
        return _undefined(need, undefined)


def _undefined(need: Need, undefined: Undefined) -> Missing:
    column = getattr(need, "column", None)
    return Missing(f"{column}: {undefined.reason}" if column else undefined.reason, rows=undefined.rows)


def _taken(need: Need, answer: Answer) -> Answer:
    """Take the numbers now, so that those which do not exist are Missing before the report runs.

    Any other failure is left to the report, which finds whose it is.
    """
    match answer:
        case Missing():
            return answer
        case Groups():
            return Groups(tuple((name, _one(need, member)) for name, member in answer.members))
        case Measurement():
            return _one(need, answer)


def _one(need: Need, answer: Measurement | Missing) -> Measurement | Missing:
    if isinstance(answer, Missing):
        return answer
    try:
        _ = answer.measured
    except Undefined as undefined:
        return _undefined(need, undefined)
    except Unanswerable as unanswerable:
        return unanswerable.missing
    except Exception:  # noqa: BLE001  # see above
        _log.debug("%s is left to the report", need, exc_info=True)
    return answer


def _distributions(needs: Sequence[Need], setting: Setting, sides: Sides) -> tuple[Distribution, ...]:
    """Both sides of every column whose drift is asked for. One that cannot be drawn has its finding all the same."""
    columns = dict.fromkeys(need.column for need in needs if isinstance(need, Drift))
    drawn = sides.settle({column: pictures.distribution(column, setting) for column in columns})
    return tuple(picture for picture in drawn.values() if isinstance(picture, Distribution))


def _trails(taken: Mapping[Need, Answer], setting: Setting, sides: Sides) -> tuple[Trail, ...]:
    """Where and since when a column is over its limit."""
    over = {
        need: pictures.trails(need, setting)
        for need, answer in taken.items()
        if isinstance(need, Drift) and isinstance(answer, Measurement) and not need.limit.holds(answer.measured.value)
    }
    followed = sides.settle(over)
    return tuple(trail for found in followed.values() if not isinstance(found, Missing) for trail in found)


def _reported(
    taken: Mapping[Need, Answer], now: datetime, drawn: Sequence[Distribution]
) -> tuple[dict[Need, Reading], Reported]:
    """Run the report over all measurements and put its numbers in their places."""
    from gate.evidence.report import run_report

    measurements = [m for answer in taken.values() for m in _measurements(answer)]
    reported = run_report(measurements, now, {picture.column: picture for picture in drawn})
    shown = dict(zip(map(id, measurements), reported.readings, strict=True))

    def reading(answer: Measurement | Missing) -> Measured | Missing:
        return answer if isinstance(answer, Missing) else shown[id(answer)]

    evidence: dict[Need, Reading] = {
        need: Grouped(tuple((name, reading(member)) for name, member in answer.members))
        if isinstance(answer, Groups)
        else reading(answer)
        for need, answer in taken.items()
    }
    return evidence, reported


def _measurements(answer: Answer) -> list[Measurement]:
    match answer:
        case Measurement():
            return [answer]
        case Groups():
            return [member for _, member in answer.members if isinstance(member, Measurement)]
        case Missing():
            return []
