"""Metrics of regression: from sums of the errors."""

from __future__ import annotations

import math
from typing import Literal

from gate.statistics.errors import Undefined
from gate.statistics.estimate import Estimate, estimated
from gate.statistics.intervals import Interval, mean_interval
from gate.statistics.parts import ErrorMoments

Model = Literal["candidate", "champion"]
STUDENT = "mean (Student t)"

_LEAST_VARIANCE = 1e-12
"""Of the targets, relative to the mean of their squares: below it the sums hold nothing but rounding."""


def measure(metric: str, sums: ErrorMoments, *, model: Model, confidence: float | None) -> Estimate:
    """Measure mae, rmse, mape, bias or r2. See `quality.estimate`."""
    _require_predictions(sums)
    if model == "champion":
        return _of_champion(metric, sums, confidence)
    match metric:
        case "mae":
            return _mean(metric, sums.absolute, sums.squared, sums.n, confidence)
        case "bias":
            return _mean(metric, sums.error, sums.squared, sums.n, confidence)
        case "mape":
            _require_targets_other_than_zero(sums)
            return _mean(metric, sums.percent, sums.percent_squared, sums.n, confidence)
        case "rmse":
            interval = None if confidence is None else _root(
                mean_interval(sums.squared, sums.fourth, sums.n, confidence))  # fmt: skip
            return estimated(metric, math.sqrt(sums.squared / sums.n), sums.n, interval=interval,
                             method="root of a mean (Student t)")  # fmt: skip
        case "r2":
            return _r2(sums.squared, sums)
        case _:
            raise ValueError(f"{metric!r} is not computed from errors")


def increase(metric: str, sums: ErrorMoments, confidence: float | None) -> Estimate | None:
    """Measure candidate minus champion over the same rows; None for r2, which has no paired sums."""
    _require_predictions(sums)
    match metric:
        case "mae":
            return _paired(metric, sums.difference, sums.difference_squared, sums.n, confidence)
        case "bias":
            return _paired(metric, sums.signed_difference, sums.signed_difference_squared, sums.n, confidence)
        case "mape":
            _require_targets_other_than_zero(sums)
            return _paired(metric, sums.percent_difference, sums.percent_difference_squared, sums.n, confidence)
        case "rmse":
            of_squares = _paired(metric, sums.square_difference, sums.square_difference_squared, sums.n, confidence)
            return _of_roots(of_squares, sums)
        case _:
            return None


def _of_champion(metric: str, sums: ErrorMoments, confidence: float | None) -> Estimate:
    match metric:
        case "mae":
            return _mean(metric, _held(sums.champion_absolute), _held(sums.champion_squared), sums.n, confidence)
        case "bias":
            return _mean(metric, _held(sums.champion_error), _held(sums.champion_squared), sums.n, confidence)
        case "mape":
            _require_targets_other_than_zero(sums)
            return estimated(metric, _held(sums.champion_percent) / sums.n, sums.n)
        case "rmse":
            return estimated(metric, math.sqrt(_held(sums.champion_squared) / sums.n), sums.n)
        case "r2":
            return _r2(_held(sums.champion_squared), sums)
        case _:
            raise ValueError(f"{metric!r} is not computed from errors")


def _mean(metric: str, total: float, squares: float, rows: int, confidence: float | None) -> Estimate:
    interval = None if confidence is None else mean_interval(total, squares, rows, confidence)
    return estimated(metric, total / rows, rows, interval=interval, method=STUDENT)


def _paired(metric: str, total: float | None, squares: float | None, rows: int, confidence: float | None) -> Estimate:
    total, squares = _held(total), _held(squares)
    if not (math.isfinite(total) and math.isfinite(squares)):
        raise Undefined(f"the increase of {metric} is not finite: the values are too large to sum", rows=rows)
    interval = None if confidence is None else mean_interval(total, squares, rows, confidence)
    return Estimate(total / rows, rows, f"paired difference of {metric}" + (" (Student t)" if interval else ""),
                    interval)  # fmt: skip


def _of_roots(of_squares: Estimate, sums: ErrorMoments) -> Estimate:
    """From the difference of mean squares to that of their roots: a - b = (a² - b²) / (a + b).

    The value is exact. The interval takes the sum of the two roots as known: whether it holds 0 is right, its width
    to first order.
    """
    both = math.sqrt(sums.squared / sums.n) + math.sqrt(_held(sums.champion_squared) / sums.n)
    if not both:
        return of_squares  # two perfect models
    interval = of_squares.interval and (of_squares.interval[0] / both, of_squares.interval[1] / both)
    return Estimate(of_squares.value / both, of_squares.rows, of_squares.method, interval)


def _r2(squared: float, sums: ErrorMoments) -> Estimate:
    """1 - squared error / squared deviation of the targets from their mean."""
    around_mean = sums.target_squared - sums.target * sums.target / sums.n
    if not around_mean > _LEAST_VARIANCE * sums.target_squared:
        raise Undefined(f"r2 is undefined: the targets of all {sums.n:,} labelled rows are equal", rows=sums.n)
    return estimated("r2", 1 - squared / around_mean, sums.n)


def _require_predictions(sums: ErrorMoments) -> None:
    if sums.invalid:
        labelled = sums.n + sums.invalid
        raise Undefined(f"{sums.invalid:,} of {labelled:,} labelled rows have no finite prediction", rows=labelled)
    if not sums.n:
        raise Undefined("no labelled rows")


def _require_targets_other_than_zero(sums: ErrorMoments) -> None:
    if sums.zeros:
        raise Undefined(f"mape is undefined where the target is 0: {sums.zeros:,} of {sums.n:,} labelled rows",
                        rows=sums.n)  # fmt: skip


def _held(total: float | None) -> float:
    if total is None:
        raise Undefined("no predictions of the champion on these rows")
    return total


def _root(interval: Interval) -> Interval:
    return math.sqrt(max(interval[0], 0.0)), math.sqrt(max(interval[1], 0.0))
