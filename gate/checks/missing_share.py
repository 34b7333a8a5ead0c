"""Limits how much of a column is missing."""

from __future__ import annotations

from typing import Annotated

from gate.checks.choosing import of_kind, outputs
from gate.checks.columnwise import ColumnwiseCheck
from gate.checks.contract import Share
from gate.checks.judging import Wording, judge_number, percent
from gate.checks.tighten import LOWER
from gate.domain import need
from gate.domain.evidence import Reading
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope


class MissingShare(ColumnwiseCheck):
    """Requires that each column is null or NaN in at most a share `max` of the current rows.

    Judged on the count: the batch is what was delivered, not a sample of something. Without `columns`: all features
    and the columns with the model's predictions and scores. The target is left out, because truth may come later.

    Example:
        - {check: missing_share, max: 0.05, columns: [temp, hum, windspeed]}
    """

    max: Annotated[Share, LOWER]

    def default_columns(self, scope: Scope) -> tuple[str, ...]:
        """Features and predictions."""
        return of_kind((*scope.features, *outputs(scope)), scope, *self.measurable)

    def limit_in(self, scope: Scope) -> Limit:  # noqa: ARG002  # the same in every scope
        """At most `max`."""
        return Limit(max=self.max)

    def need(self, column: str, scope: Scope) -> need.MissingShare:
        """The share of current rows without a value."""
        return need.MissingShare(self.limit_in(scope), column)

    def judge_column(self, column: str, reading: Reading, scope: Scope) -> Judgement:
        """Hold the share against the limit."""
        wording = Wording(
            {"column": column},
            says=lambda shown: f"{column} is missing in {shown} of rows",
            remedy=f"find out where the feed loses {column}, or let the model and the limit expect it",
            aim=lambda shown, limit: f"{column}: bring the missing share from {shown} to {limit}",
            show=percent,
        )
        return judge_number(reading, self.limit_in(scope), wording)
