"""How a number is judged: one function for every check.

The interval (widened by the error of binning) wholly inside the limit passes, wholly outside fails; a straddling one
is `insufficient` and says how many rows would decide it. Missing is `insufficient`, broken is `error`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gate.domain.evidence import Grouped, Measured, Missing, Reading, Stated
from gate.domain.finding import Judgement, Status
from gate.domain.need import ANY, Limit


def number(value: float) -> str:
    """Show a number with four significant digits and thousands separators: `0.4123`, `12,340`, `1.2e-07`."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 9_999.5:  # where four digits would turn to 1e+04
        return f"{value:,.0f}"
    return f"{value:.4g}"


def percent(share: float) -> str:
    """Show a share as a percentage, with digits enough to tell a small one from none: `30.1 %`, `0.004 %`."""
    hundred = share * 100
    return f"{hundred:.3g} %" if abs(hundred) < 10 else f"{hundred:.4g} %"


def duration(seconds: float) -> str:
    """Show a length of time in its largest sensible unit: `36 h`, `2.5 days`, `-10 min`."""
    size = abs(seconds)
    for unit, length in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if size >= (2 if unit == "days" else 1) * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


@dataclass(frozen=True, slots=True)
class Wording:
    """How a check words its number.

    Attributes:
        subject: what was looked at, as it stands in the finding.
        says: from the shown number to a clause: "temp moved 0.41 reference standard deviations (wasserstein)".
        remedy: what a person can do when it does not hold.
        aim: from the shown number and limit to the change that would let it through, for `flip`.
        show: how a number of this unit is shown.
        rows: what the rows are called ("labelled rows").
    """

    subject: dict[str, str]
    says: Callable[[str], str]
    remedy: str
    aim: Callable[[str, str], str]
    show: Callable[[float], str] = number
    rows: str = "rows"


def judge_number(
    reading: Reading,
    limit: Limit,
    wording: Wording,
    *,
    warn: Limit = ANY,
    min_rows: int = 0,
    confidence: float | None = None,
) -> Judgement:
    """Hold one reading against its limit.

    Args:
        reading: a Measured or a Missing; anything else is a bug and becomes an error.
        limit: where the number has to lie, edges included.
        wording: how to say it.
        warn: where it has to lie not to be warned about; inside `limit` only.
        min_rows: below this many rows an inferred number is not judged.
        confidence: of the interval, for the wording. A number that was asked for at one and has no interval is inferred
            all the same, and said to be judged on the value.
    """
    match reading:
        case Missing():
            return judge_missing(reading, wording.subject, limit, wording.remedy)
        case Measured() if reading.rows < min_rows:
            return _too_few(reading, limit, wording, min_rows)
        case Measured():
            return _judge_measured(reading, limit, wording, warn, confidence)
        case Stated() | Grouped():
            return Judgement(Status.ERROR, f"expected a number, got {type(reading).__name__}: this is a bug in gate",
                             subject=wording.subject, limit=limit)  # fmt: skip


def judge_missing(missing: Missing, subject: dict[str, str], limit: Limit = ANY, remedy: str = "") -> Judgement:
    """Say that there is no number: `error` if something broke, else `insufficient`."""
    status = Status.ERROR if missing.broken else Status.INSUFFICIENT
    named = next(iter(subject.values()), "")
    flip = f"{named}: {missing.reason}" if named and named not in missing.reason else missing.reason
    return Judgement(status, missing.reason, subject=subject, limit=limit, rows=missing.rows, remedy=remedy,
                     flip=flip, rows_missing=missing.rows_missing)  # fmt: skip


def _too_few(measured: Measured, limit: Limit, wording: Wording, min_rows: int) -> Judgement:
    lacking = min_rows - measured.rows
    have, need, more = (f"{rows:,}" for rows in (measured.rows, min_rows, lacking))
    clause = wording.says(wording.show(measured.value))
    collect = f"collect {more} more {wording.rows}"
    return _judgement(
        Status.INSUFFICIENT, f"{clause}, but on {have} {wording.rows} only; {need} are needed, {more} more",
        measured, limit, wording, remedy=collect, flip=collect, rows_missing=lacking,
    )  # fmt: skip


def _judge_measured(
    measured: Measured, limit: Limit, wording: Wording, warn: Limit, confidence: float | None
) -> Judgement:
    clause = wording.says(wording.show(measured.value)) + _spread(measured, wording, confidence)
    limited = _limited(measured.value, limit, wording.show)
    held = limited if measured.interval is not None or confidence is None else f"{limited}, judged on the value"
    inside = limit.holds(measured.low) and limit.holds(measured.high)
    beyond = (limit.max is not None and measured.low > limit.max) or (
        limit.min is not None and measured.high < limit.min
    )
    if inside and warn.holds(measured.value):
        return _judgement(Status.PASS, f"{clause}, {held}", measured, limit, wording)
    if inside:
        reason = f"{clause}, {held}; it should be {_shown(warn, wording.show)}"
        return _judgement(Status.WARN, reason, measured, limit, wording, remedy=wording.remedy)
    aim = wording.aim(wording.show(measured.value), _shown(limit, wording.show))
    if beyond:
        return _judgement(Status.FAIL, f"{clause}, {held}", measured, limit, wording, remedy=wording.remedy, flip=aim)
    return _straddling(measured, limit, wording, f"{clause}, {limited}", aim)


def _straddling(measured: Measured, limit: Limit, wording: Wording, clause: str, aim: str) -> Judgement:
    """The limit lies between what is possible: say how many rows would decide it."""
    if not limit.holds(measured.value):
        reason = f"{clause}: the value is on the wrong side, and more {wording.rows} would make it fail"
        return _judgement(Status.INSUFFICIENT, reason, measured, limit, wording, remedy=wording.remedy, flip=aim)
    needed = rows_to_decide(measured, limit)
    if needed is None:
        reason = f"{clause}: the value lies on the limit, and no number of {wording.rows} would decide it"
        return _judgement(Status.INSUFFICIENT, reason, measured, limit, wording, remedy=wording.remedy, flip=aim)
    more = max(needed - measured.rows, 1)
    reason = f"{clause}: too close to call; about {needed:,} {wording.rows} would decide it, {more:,} more than now"
    collect = f"collect about {more:,} more {wording.rows}"
    return _judgement(
        Status.INSUFFICIENT, reason, measured, limit, wording, remedy=collect, flip=collect, rows_missing=more
    )


# An interval a thousand times too wide needs a million times the rows: nobody will collect them.
_MOST_TIMES = 1_000.0


def rows_to_decide(measured: Measured, limit: Limit) -> int | None:
    """How many rows would pull the interval inside the limit, if the value stayed: its width shrinks with sqrt(rows).

    None when the value is not strictly inside the limit, when it is so close that no rows would do, or when binning and
    not sampling stands in the way.
    """
    needed = 0.0
    for edge, reach in ((limit.max, measured.high - measured.value), (limit.min, measured.value - measured.low)):
        if edge is None:
            continue
        room = abs(edge - measured.value) - measured.bound
        if room <= 0 or not limit.holds(measured.value):
            return None
        times = (reach - measured.bound) / room
        if times > _MOST_TIMES:
            return None
        needed = max(needed, measured.rows * times**2)
    return math.ceil(needed)


def _spread(measured: Measured, wording: Wording, confidence: float | None) -> str:
    """The interval in brackets, where there is one."""
    if measured.interval is not None:
        low, high = (wording.show(edge) for edge in measured.interval)
        level = f"{confidence * 100:.3g} % " if confidence else ""
        return f" ({level}interval {low} to {high})"
    return ""


def _limited(value: float, limit: Limit, show: Callable[[float], str]) -> str:
    """The limit, and that the value is just beyond it where both would look the same: "5 %, limit at most 5 %"."""
    if limit == ANY:
        return "no limit"
    alike = not limit.holds(value) and show(value) in (
        show(edge) for edge in (limit.min, limit.max) if edge is not None
    )
    return f"{'just beyond the ' if alike else ''}limit {_shown(limit, show)}"


def _shown(limit: Limit, show: Callable[[float], str]) -> str:
    match limit.min, limit.max:
        case None, None:
            return "none"
        case None, high if high is not None:
            return f"at most {show(high)}"
        case low, None if low is not None:
            return f"at least {show(low)}"
        case low, high if low is not None and high is not None:
            return f"{show(low)} to {show(high)}"
    return "none"


def _judgement(
    status: Status, reason: str, measured: Measured, limit: Limit, wording: Wording, *,
    remedy: str = "", flip: str = "", rows_missing: int | None = None,
) -> Judgement:  # fmt: skip
    return Judgement(
        status, reason, subject=wording.subject, measured=measured.value, interval=measured.interval,
        bound=measured.bound, exact=measured.is_exact, limit=limit, rows=measured.rows, method=measured.method,
        remedy=remedy, flip=flip, rows_missing=rows_missing, details=measured.details,
    )  # fmt: skip
