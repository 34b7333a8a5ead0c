"""Notices a column that has stopped moving."""

from __future__ import annotations

from gate.checks.choosing import BOTH, of_kind, quoted
from gate.checks.columnwise import ColumnwiseCheck
from gate.checks.judging import Wording, judge_number
from gate.domain import need
from gate.domain.columns import Kind
from gate.domain.evidence import Measured, Reading
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope

_VARIES = 2  # distinct values; more are not counted


class ConstantColumns(ColumnwiseCheck):
    """Requires that no column has one single value, or none, in current while it varies in the reference.

    A stuck sensor or a join that went wrong looks like this. Judged on the count of distinct values. A column that is
    constant in the reference too passes. Without `columns`: all numeric and categorical features.

    Example:
        - {check: constant_columns}
    """

    sides = BOTH
    measurable = (Kind.NUMERIC, Kind.CATEGORICAL)

    def default_columns(self, scope: Scope) -> tuple[str, ...]:
        """Numeric and categorical features."""
        return of_kind(scope.features, scope, *self.measurable)

    def limit_in(self, scope: Scope) -> Limit:  # noqa: ARG002  # the same in every scope
        """At least two distinct values."""
        return Limit(min=float(_VARIES))

    def need(self, column: str, scope: Scope) -> need.Distinct:
        """The number of distinct values, up to 2, on both sides."""
        return need.Distinct(self.limit_in(scope), column)

    def judge_column(self, column: str, reading: Reading, scope: Scope) -> Judgement:
        """Ask for as many distinct values as the reference has, up to two."""
        limit = self.limit_in(scope)
        clause = f"{column} varies"
        if isinstance(reading, Measured):
            before = reading.details.get("reference")
            if isinstance(before, int) and before < _VARIES:
                limit = Limit(min=float(before))
            clause = _clause(column, reading, before)
        wording = Wording(
            {"column": column},
            says=lambda _: clause,
            remedy=f"find out why the feed no longer changes {column}",
            aim=lambda shown, limited: f"{column}: bring the distinct values from {shown} to {limited}",
            show=lambda count: f"{count:.0f} distinct value{'s' if count != 1 else ''}",
        )
        return judge_number(reading, limit, wording)


def _clause(column: str, reading: Measured, before: object) -> str:
    """Say whether the column varies, and what it is stuck at if it does not."""
    as_before = ", as in the reference" if reading.value == before else ""
    if reading.value >= _VARIES:
        return f"{column} varies"
    if reading.value == 0:
        return f"{column} has no value in any row{as_before}"
    value = reading.details.get("value")
    stuck = f"{column} is {quoted(value)}" if value is not None else f"{column} is the same"
    return f"{stuck} in every row that has a value{as_before}"
