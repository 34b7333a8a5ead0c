"""Limits how far the truth has moved."""

from __future__ import annotations

from gate.checks.choosing import nothing
from gate.checks.drift import DriftCheck
from gate.domain import need
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement
from gate.domain.scope import Scope


class TargetDrift(DriftCheck):
    """Requires that the target moved at most `max` between reference and current, over the labelled rows.

    Distances as in `feature_drift`. Takes the column `data.columns.target`. Below `min_rows` labelled rows it is not
    judged.

    Example:
        - {check: target_drift, max: 0.1, method: {numeric: ks}}
    """

    def _columns(self, scope: Scope) -> tuple[str, ...]:
        return (scope.roles.target,) if scope.roles.target else ()

    def needs(self, scope: Scope) -> tuple[need.Drift, ...]:
        """The distance of the target."""
        return self.drift_needs(self._columns(scope), scope)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """One for the target."""
        remedy = "train on data like that of today: what is to be predicted has changed"
        return tuple(
            self.judge_drift(column, evidence, scope, remedy=remedy) for column in self._columns(scope)
        ) or nothing(
            "the drift of the target is unknown: the policy names none",
            "name the column with the truth in data.columns.target",
        )
