"""Requires recent data."""

from __future__ import annotations

from typing import Annotated

from gate.checks.choosing import cannot, nothing, unusable
from gate.checks.contract import Check, Name
from gate.checks.fields import Duration
from gate.checks.judging import Wording, duration, judge_number
from gate.checks.tighten import FIXED, SHORTER
from gate.domain import need
from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Evidence, Measured
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope


class Freshness(Check):
    """Requires that the newest current row is at most `max_age` old at the moment of the evaluation.

    A row from the future fails: then the clock or the time zone of the feed is wrong, and no age can be believed.
    Takes the time in `column`; left out, in `data.columns.timestamp`.

    Example:
        - {check: freshness, max_age: 36h}
    """

    max_age: Annotated[Duration, SHORTER]
    column: Annotated[Name | None, FIXED] = None

    @property
    def _limit(self) -> Limit:
        return Limit(min=0.0, max=self.max_age.total_seconds())

    def _column(self, scope: Scope) -> str | None:
        return self.column or scope.roles.timestamp

    def needs(self, scope: Scope) -> tuple[need.Age, ...]:
        """The age of the newest row."""
        column = self._column(scope)
        return () if column is None or _obstacle(column, scope) else (need.Age(self._limit, column),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Hold the age against the limit."""
        column = self._column(scope)
        if column is None:
            return nothing(
                "the age of the data is unknown: the policy names no time column",
                "name the time of a row in data.columns.timestamp",
            )
        subject = {"column": column}
        obstacle = _obstacle(column, scope)
        if obstacle is not None:
            return (cannot(obstacle, subject, self._limit),)
        reading = evidence[need.Age(self._limit, column)]
        ahead = isinstance(reading, Measured) and reading.value < 0
        future = Wording(
            subject,
            says=lambda shown: f"the newest row by {column} is {shown.removeprefix('-')} in the future",
            remedy=f"correct the clock or the time zone of {column}",
            aim=lambda shown, _: f"{column}: bring the newest time back by {shown.removeprefix('-')}",
            show=duration,
        )
        past = Wording(
            subject,
            says=lambda shown: f"the newest row by {column} is {shown} old",
            remedy="find out why the feed stopped, or point the policy at newer data",
            aim=lambda shown, _: f"{column}: bring the age from {shown} to at most {duration(self._limit.max or 0.0)}",
            show=duration,
        )
        return (judge_number(reading, self._limit, future if ahead else past),)


def _obstacle(column: str, scope: Scope) -> str | None:
    return unusable(column, scope, sides=(Side.CURRENT,), kinds=(Kind.TIMESTAMP,))
