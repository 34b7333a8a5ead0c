"""Requires data without holes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from gate.checks.choosing import cannot, nothing, unusable
from gate.checks.contract import Check, Name
from gate.checks.fields import Duration
from gate.checks.judging import Wording, duration, judge_number
from gate.checks.tighten import FIXED, HIGHER, SHORTER
from gate.domain import need
from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Evidence, Measured, Reading
from gate.domain.finding import Judgement
from gate.domain.need import Limit, Need
from gate.domain.scope import Scope

_GAP, _DAY = "longest gap", "rows a day"


class Continuity(Check):
    """Requires that no stretch of current without a row is longer than `max_gap`, and no whole day has too few rows.

    `min_rows_per_day` looks at the days between the first and the last one, which are seldom whole. Judged on the
    count. Takes the time in `column`; left out, in `data.columns.timestamp`.

    Example:
        - {check: continuity, max_gap: 6h, min_rows_per_day: 20}
    """

    max_gap: Annotated[Duration | None, SHORTER] = None
    min_rows_per_day: Annotated[int | None, Field(ge=1), HIGHER] = None
    column: Annotated[Name | None, FIXED] = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.max_gap is None and self.min_rows_per_day is None:
            raise ValueError("max_gap and min_rows_per_day are missing; without a limit nothing could fail")
        return self

    def _column(self, scope: Scope) -> str | None:
        return self.column or scope.roles.timestamp

    def _wanted(self, column: str) -> Iterator[tuple[str, Need]]:
        if self.max_gap is not None:
            yield _GAP, need.LargestGap(Limit(max=self.max_gap.total_seconds()), column)
        if self.min_rows_per_day is not None:
            yield _DAY, need.RowsPerDay(Limit(min=float(self.min_rows_per_day)), column)

    def needs(self, scope: Scope) -> tuple[Need, ...]:
        """The longest gap and the thinnest day, as far as they are limited."""
        column = self._column(scope)
        if column is None or _obstacle(column, scope):
            return ()
        return tuple(wanted for _, wanted in self._wanted(column))

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """One for each of the two limits that is set."""
        column = self._column(scope)
        if column is None:
            return nothing(
                "gaps in the data are unknown: the policy names no time column",
                "name the time of a row in data.columns.timestamp",
            )
        obstacle = _obstacle(column, scope)
        if obstacle is not None:
            return tuple(
                cannot(obstacle, {"column": column, "of": what}, wanted.limit) for what, wanted in self._wanted(column)
            )
        return tuple(
            (_judge_gap if what == _GAP else _judge_day)(column, evidence[wanted], wanted.limit)
            for what, wanted in self._wanted(column)
        )


def _judge_gap(column: str, reading: Reading, limit: Limit) -> Judgement:
    where = _between(reading, "from", "until")
    wording = Wording(
        {"column": column, "of": _GAP},
        says=lambda shown: f"the longest stretch without a row by {column} is {shown}{where}",
        remedy="find out what the feed lost then, or leave that time out of the window",
        aim=lambda shown, limited: f"{column}: bring the longest gap from {shown} to {limited}",
        show=duration,
    )
    return judge_number(reading, limit, wording)


def _judge_day(column: str, reading: Reading, limit: Limit) -> Judgement:
    day = reading.details.get("day") if isinstance(reading, Measured) else None
    when = f" ({day})" if day else ""
    wording = Wording(
        {"column": column, "of": _DAY},
        says=lambda shown: f"the thinnest whole day by {column}{when} has {shown} rows",
        remedy="find out what the feed lost that day, or leave it out of the window",
        aim=lambda shown, limited: f"{column}: bring the rows of the thinnest day from {shown} to {limited}",
    )
    return judge_number(reading, limit, wording)


def _between(reading: Reading, start: str, end: str) -> str:
    details = reading.details if isinstance(reading, Measured) else {}
    return f" ({details[start]} to {details[end]})" if details.get(start) and details.get(end) else ""


def _obstacle(column: str, scope: Scope) -> str | None:
    return unusable(column, scope, sides=(Side.CURRENT,), kinds=(Kind.TIMESTAMP,))
