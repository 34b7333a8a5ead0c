"""Limits training data that comes back as evidence."""

from __future__ import annotations

from typing import Annotated

from gate.checks.choosing import BOTH, cannot, nothing, of_kind, unusable
from gate.checks.contract import Check, Share
from gate.checks.fields import Names
from gate.checks.judging import Wording, judge_number, percent
from gate.checks.tighten import LOWER, SUBSET
from gate.domain import need
from gate.domain.columns import Kind
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope

_COMPARABLE = (Kind.NUMERIC, Kind.CATEGORICAL, Kind.TIMESTAMP)


class Overlap(Check):
    """Requires that at most a share `max` of the current rows are also in the reference, compared on `columns`.

    A model that is judged on the rows that it was trained on looks better than it is. Judged on the count. Without
    `columns`: all features. Few columns with few values agree by chance; then list more, or a key.

    Example:
        - {check: overlap, max: 0.01}
    """

    max: Annotated[Share, LOWER]
    columns: Annotated[Names | None, SUBSET] = None

    def _columns(self, scope: Scope) -> tuple[str, ...]:
        return self.columns or of_kind(scope.features, scope, *_COMPARABLE)

    def needs(self, scope: Scope) -> tuple[need.Overlap, ...]:
        """The share of current rows that the reference has too."""
        columns = self._columns(scope)
        if not columns or self._obstacles(scope):
            return ()
        return (need.Overlap(Limit(max=self.max), columns),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Hold it against the limit; without one of the columns the rows cannot be compared."""
        columns, limit = self._columns(scope), Limit(max=self.max)
        if not columns:
            return nothing(
                "there is no feature to compare the rows of the two sides on", "list columns that tell rows apart"
            )
        obstacles = self._obstacles(scope)
        if obstacles:
            return (cannot(f"rows cannot be compared: {'; '.join(obstacles)}", {}, limit),)
        on = ", ".join(columns) if len(columns) <= 3 else f"{len(columns)} columns"
        wording = Wording(
            {},
            says=lambda shown: f"{shown} of the current rows are also in the reference (compared on {on})",
            remedy="take current data that the model was not trained on",
            aim=lambda shown, limited: f"bring the current rows that are in the reference from {shown} to {limited}",
            show=percent,
        )
        (wanted,) = self.needs(scope)
        return (judge_number(evidence[wanted], limit, wording),)

    def _obstacles(self, scope: Scope) -> list[str]:
        each = (unusable(column, scope, sides=BOTH, kinds=_COMPARABLE) for column in self._columns(scope))
        return [obstacle for obstacle in each if obstacle is not None]
