"""Limits how often something happened, such as overrides."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from gate.checks.choosing import cannot, quoted
from gate.checks.contract import Check, Name, Share
from gate.checks.fields import limit, require_limit
from gate.checks.judging import Wording, judge_number, percent
from gate.checks.tighten import HIGHER, LOWER
from gate.domain import need
from gate.domain.evidence import Evidence
from gate.domain.finding import Dimension, Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope


class RowShare(Check):
    """Requires that the share of current rows where `column` equals `equals` is at least `min` and at most `max`.

    For what people did with the model: override rate, exception rate, thumbs up. Compared as text, over the rows that
    have a value. Judged on the Wilson interval of the share.

    Example:
        - id: override_rate
          check: row_share
          column: decision
          equals: overridden
          max: 0.1
    """

    kind_dimension = Dimension.BUSINESS

    column: Name
    equals: Name | int | bool
    min: Annotated[Share | None, HIGHER] = None
    max: Annotated[Share | None, LOWER] = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        require_limit(least=self.min, most=self.max)
        return self

    @property
    def _limit(self) -> Limit:
        return limit(self.min, self.max)

    @property
    def _text(self) -> str:
        """`equals` as SQL writes it."""
        return str(self.equals).lower() if isinstance(self.equals, bool) else str(self.equals)

    def needs(self, scope: Scope) -> tuple[need.RowShare, ...]:
        """The share, with its interval."""
        if self.column not in scope.current:
            return ()
        return (need.RowShare(self._limit, self.column, self._text, self.confidence_in(scope)),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Hold it against the limit."""
        subject = {"column": self.column}
        if not (wanted := self.needs(scope)):
            return (cannot(f"column {self.column} is absent from the current data", subject, self._limit),)
        what = f"{self.column} is {quoted(self._text)}"
        wording = Wording(
            subject,
            says=lambda shown: f"{what} in {shown} of rows",
            remedy=f"find out with the people who use the model why {what} so "
            + ("often" if self.min is None else "seldom" if self.max is None else "often, or so seldom"),
            aim=lambda shown, limited: f"bring the share of rows where {what} from {shown} to {limited}",
            show=percent,
        )
        return (
            judge_number(
                evidence[wanted[0]], self._limit, wording,
                min_rows=self.min_rows_in(scope), confidence=self.confidence_in(scope),
            ),
        )  # fmt: skip
