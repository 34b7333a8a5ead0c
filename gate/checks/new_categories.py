"""Limits values that the model has never seen."""

from __future__ import annotations

from typing import Annotated

from gate.checks.choosing import BOTH, listed, of_kind, quoted
from gate.checks.columnwise import ColumnwiseCheck
from gate.checks.contract import Share
from gate.checks.judging import Wording, judge_number, percent
from gate.checks.tighten import LOWER
from gate.domain import need
from gate.domain.columns import Kind
from gate.domain.evidence import Measured, Reading
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope


class NewCategories(ColumnwiseCheck):
    """Requires that at most a share `max_share` of the rows have a category that the reference never had.

    Judged on the count, over the rows that have a value. Without `columns`: all categorical features. The new values
    are named.

    Example:
        - {check: new_categories, max_share: 0.001, columns: [weathersit]}
    """

    sides = BOTH
    measurable = (Kind.CATEGORICAL,)

    max_share: Annotated[Share, LOWER] = 0.0

    def default_columns(self, scope: Scope) -> tuple[str, ...]:
        """Categorical features."""
        return of_kind(scope.features, scope, Kind.CATEGORICAL)

    def limit_in(self, scope: Scope) -> Limit:  # noqa: ARG002  # the same in every scope
        """At most `max_share`."""
        return Limit(max=self.max_share)

    def need(self, column: str, scope: Scope) -> need.NewCategories:
        """The share of current rows with a new value, and the values."""
        return need.NewCategories(self.limit_in(scope), column)

    def judge_column(self, column: str, reading: Reading, scope: Scope) -> Judgement:
        """Hold the share against the limit, naming the values."""
        values = reading.details.get("values", ()) if isinstance(reading, Measured) else ()
        named = f" ({listed((quoted(value) for value in values), 3)})" if values else ""
        wording = Wording(
            {"column": column},
            says=lambda shown: f"{column} has a value that the reference never had in {shown} of rows{named}",
            remedy=f"map the new values of {column} to known ones, or train on data that has them",
            aim=lambda shown, limit: f"{column}: bring the rows with new values from {shown} to {limit}",
            show=percent,
        )
        return judge_number(reading, self.limit_in(scope), wording)
