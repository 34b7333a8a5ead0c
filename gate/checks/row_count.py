"""Requires enough rows, and not too many."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from gate.checks.contract import Check
from gate.checks.fields import limit, require_limit
from gate.checks.judging import Wording, judge_number
from gate.checks.tighten import HIGHER, LOWER
from gate.domain import need
from gate.domain.dataset import Side
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope


class RowCount(Check):
    """Requires that one side has at least `min` and at most `max` rows.

    Judged on the count of rows after the window, the filter of last rows and the join of labels.

    Example:
        - {check: row_count, min: 1000, side: current}
    """

    min: Annotated[int | None, Field(ge=0), HIGHER] = None
    max: Annotated[int | None, Field(ge=0), LOWER] = None
    side: Annotated[Side, Field(strict=False)] = Side.CURRENT

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        require_limit(least=self.min, most=self.max)
        return self

    @property
    def _limit(self) -> Limit:
        return limit(self.min, self.max)

    def needs(self, scope: Scope) -> tuple[need.Rows, ...]:  # noqa: ARG002  # every dataset has a number of rows
        """The number of rows."""
        return (need.Rows(self._limit, self.side),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Hold it against the limit."""
        side = str(self.side)
        wording = Wording(
            {"side": side},
            says=lambda shown: f"the {side} data has {shown} rows",
            remedy=f"check the window and the feed of the {side} data",
            aim=lambda shown, limited: f"bring the rows of the {side} data from {shown} to {limited}",
        )
        (wanted,) = self.needs(scope)
        return (judge_number(evidence[wanted], self._limit, wording),)
