"""Limits numbers to the range that they can have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gate.checks.choosing import cannot, unusable
from gate.checks.contract import Check, Name, Share
from gate.checks.fields import limit, require_limit
from gate.checks.judging import Wording, judge_number, number, percent
from gate.checks.tighten import LOWER, Order
from gate.domain import need
from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Evidence, Measured, Reading
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope


class Range(BaseModel):
    """The values that a column may have, edges included."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _has_an_edge(self) -> Self:
        require_limit(least=self.min, most=self.max)
        return self


def _narrower(base: Mapping[str, Range], override: Mapping[str, Range]) -> bool:
    return all(
        column in override
        and (old.min is None or ((new := override[column].min) is not None and new >= old.min))
        and (old.max is None or ((top := override[column].max) is not None and top <= old.max))
        for column, old in base.items()
    )


_NARROWER = Order("extended and narrowed", _narrower)


class ValueRange(Check):
    """Requires that numbers lie in their range, edges included, but for a share `max_share` of the rows with a value.

    Judged on the count. Infinities are outside every range; missing values are the business of `missing_share`.

    Example:
        - check: value_range
          ranges:
            temp: {min: -30, max: 50}
            hum: {min: 0, max: 100}
            windspeed: {min: 0}
          max_share: 0.001
    """

    ranges: Annotated[Mapping[Name, Range], Field(min_length=1), _NARROWER]
    max_share: Annotated[Share, LOWER] = 0.0

    def needs(self, scope: Scope) -> tuple[need.OutsideRange, ...]:
        """The share outside its range, of each column that has numbers."""
        return tuple(self._need(column) for column in self.ranges if _obstacle(column, scope) is None)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """One for each column with a range."""
        return tuple(self._judgements(evidence, scope))

    def _judgements(self, evidence: Evidence, scope: Scope) -> Iterator[Judgement]:
        for column in self.ranges:
            obstacle = _obstacle(column, scope)
            if obstacle is None:
                yield self._judged(column, evidence[self._need(column)])
            else:
                yield cannot(obstacle, {"column": column}, Limit(max=self.max_share))

    def _need(self, column: str) -> need.OutsideRange:
        allowed = self.ranges[column]
        edges = limit(allowed.min, allowed.max)
        return need.OutsideRange(Limit(max=self.max_share), column, edges.min, edges.max)

    def _judged(self, column: str, reading: Reading) -> Judgement:
        allowed, found = _worded(self.ranges[column]), _extremes(reading)
        wording = Wording(
            {"column": column},
            says=lambda shown: f"{column} is outside {allowed} in {shown} of rows{found}",
            remedy=f"check the unit and the source of {column}, or correct its range in the policy",
            aim=lambda shown, limited: f"{column}: bring the rows outside {allowed} from {shown} to {limited}",
            show=percent,
        )
        return judge_number(reading, Limit(max=self.max_share), wording)


def _obstacle(column: str, scope: Scope) -> str | None:
    return unusable(column, scope, sides=(Side.CURRENT,), kinds=(Kind.NUMERIC,))


def _worded(allowed: Range) -> str:
    if allowed.min is None and allowed.max is not None:
        return f"(at most {number(allowed.max)})"
    if allowed.max is None and allowed.min is not None:
        return f"(at least {number(allowed.min)})"
    assert allowed.min is not None
    assert allowed.max is not None
    return f"{number(allowed.min)} to {number(allowed.max)}"


def _extremes(reading: Reading) -> str:
    """What the column holds, where it is known; an infinity is text."""
    details: Mapping[str, Any] = reading.details if isinstance(reading, Measured) else {}
    smallest, largest = details.get("smallest"), details.get("largest")
    if smallest is None or largest is None:
        return ""
    low, high = (number(edge) if isinstance(edge, int | float) else str(edge) for edge in (smallest, largest))
    return f" (it goes from {low} to {high})"
