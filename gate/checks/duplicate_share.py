"""Limits rows that came twice."""

from __future__ import annotations

from typing import Annotated

from gate.checks.choosing import cannot, listed
from gate.checks.contract import Check, Share
from gate.checks.fields import Names
from gate.checks.judging import Wording, judge_number, percent
from gate.checks.tighten import LOWER, SUBSET
from gate.domain import need
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope


class DuplicateShare(Check):
    """Requires that at most a share `max` of the current rows repeat an earlier one on `columns`.

    Judged on the count. Without `columns`: the key of the rows (`data.columns.key`) if the policy names one, else all
    columns.

    Example:
        - {check: duplicate_share, max: 0.001, columns: [ride_id]}
    """

    max: Annotated[Share, LOWER]
    columns: Annotated[Names | None, SUBSET] = None

    def _columns(self, scope: Scope) -> tuple[str, ...]:
        """The columns that rows are compared on; none of them named means all of them."""
        return self.columns or ((scope.roles.key,) if scope.roles.key else ())

    def _absent(self, scope: Scope) -> tuple[str, ...]:
        return tuple(column for column in self._columns(scope) if column not in scope.current)

    def needs(self, scope: Scope) -> tuple[need.DuplicateShare, ...]:
        """The share of rows that repeat an earlier one."""
        return () if self._absent(scope) else (need.DuplicateShare(Limit(max=self.max), self._columns(scope)),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Hold it against the limit."""
        columns = self._columns(scope)
        subject = {"columns": ", ".join(columns)} if columns else {}
        absent = self._absent(scope)
        if absent:
            reason = f"rows cannot be compared: {listed(absent)} absent from the current data"
            return (cannot(reason, subject, Limit(max=self.max)),)
        on = listed(columns) if columns else "all columns"
        wording = Wording(
            subject,
            says=lambda shown: f"{shown} of the current rows repeat an earlier one on {on}",
            remedy="find out where the rows are doubled: a retry, a join, a file loaded twice",
            aim=lambda shown, limited: f"bring the repeated rows from {shown} to {limited}",
            show=percent,
        )
        (wanted,) = self.needs(scope)
        return (judge_number(evidence[wanted], Limit(max=self.max), wording),)
