"""An estimate: a number from a sample, and what sampling and binning leave possible."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gate.domain.metrics import METRICS
from gate.statistics.errors import Undefined
from gate.statistics.intervals import Interval

NEAR_ZERO = 1e-12
"""A baseline closer to 0 than this has no relative increase."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A quality metric, or the increase of one.

    Attributes:
        value: finite.
        rows: the labelled rows that it rests on.
        method: how it was measured: the name of the interval's formula, or that of the metric when it has none.
        interval: at the confidence asked for, and around `value`; None where no formula is known here, or none was
            asked for.
        bound: error of binning; the exact value lies in value +- bound.
    """

    value: float
    rows: int
    method: str
    interval: Interval | None = None
    bound: float = 0.0


def estimated(
    metric: str, value: float, rows: int, *, interval: Interval | None = None, method: str = "", bound: float = 0.0
) -> Estimate:
    """Build the estimate of `metric`: the interval clipped to the range of the metric and widened to hold the value.

    Raises:
        Undefined: a number is not finite, because sums overflowed.
    """
    low, high = METRICS[metric].low, METRICS[metric].high
    least, most = (-math.inf if low is None else low), (math.inf if high is None else high)
    numbers = (value, bound, *(interval or ()))
    if not all(map(math.isfinite, numbers)):
        raise Undefined(f"{metric} is not finite: the values are too large to sum", rows=rows)
    value = min(max(value, least), most)  # rounding
    if interval is not None:
        interval = (max(min(interval[0], value), least), min(max(interval[1], value), most))
    return Estimate(value, rows, method if interval is not None and method else metric, interval, bound)


def difference(metric: str, candidate: Estimate, champion: Estimate, *, relative: bool = False) -> Estimate:
    """Subtract the champion's estimate from the candidate's, for two that share no rows or no paired sums.

    The value only: without the pairs its sampling error is not known here. The errors of binning add up.

    Raises:
        Undefined: `relative`, and the champion's value is too near 0 to divide by.
    """
    increase = Estimate(
        candidate.value - champion.value, min(candidate.rows, champion.rows), f"difference of {metric}",
        bound=candidate.bound + champion.bound,
    )  # fmt: skip
    return relative_to(increase, metric, champion) if relative else increase


def relative_to(increase: Estimate, metric: str, champion: Estimate) -> Estimate:
    """Divide an increase by the absolute value of the champion's.

    The interval is scaled alike. That leaves out the sampling error of the divisor, which a paired increase near 0
    hardly feels: its weight is the increase itself.

    Raises:
        Undefined: the champion's value is within its own error of binning of 0.
    """
    baseline = abs(champion.value)
    least = baseline - champion.bound
    if not least > NEAR_ZERO:
        raise Undefined(
            f"a relative increase needs a champion's {metric} other than 0, got {champion.value:.4g}; "
            f"state the allowed increase as a number",
            rows=increase.rows,
        )
    value = increase.value / baseline
    interval = increase.interval and (increase.interval[0] / baseline, increase.interval[1] / baseline)
    bound = (abs(increase.value) + increase.bound) / least - abs(value)
    return Estimate(value, increase.rows, increase.method, interval, max(bound, 0.0))
