"""Requires enough labelled rows."""

from __future__ import annotations

from typing import Annotated

from gate.checks.contract import Check, Share
from gate.checks.judging import Wording, judge_number, percent
from gate.checks.tighten import HIGHER
from gate.domain import need
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope


class LabelledShare(Check):
    """Requires that at least a share `min` of the current rows have a target.

    Rows without one count for drift and not for metrics; if the labels that come first are not like the others, the
    metrics are not either. Judged on the count. Takes the column `data.columns.target`.

    Example:
        - {check: labelled_share, min: 0.8}
    """

    min: Annotated[Share, HIGHER]

    def needs(self, scope: Scope) -> tuple[need.LabelledShare, ...]:  # noqa: ARG002  # the same in every scope
        """The share of rows with a target."""
        return (need.LabelledShare(Limit(min=self.min)),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Hold it against the limit."""
        subject = {"column": scope.roles.target} if scope.roles.target else {}
        wording = Wording(
            subject,
            says=lambda shown: f"{shown} of the current rows are labelled",
            remedy="wait for more labels, or move the window back to rows that have them",
            aim=lambda shown, limited: f"bring the labelled share from {shown} to {limited}",
            show=percent,
        )
        (wanted,) = self.needs(scope)
        return (judge_number(evidence[wanted], Limit(min=self.min), wording),)
