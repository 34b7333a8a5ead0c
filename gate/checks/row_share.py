"""Limits how often something happened, such as overrides."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from gate.checks.choosing import cannot, listed, quoted
from gate.checks.contract import Check, Name, Share
from gate.checks.fields import limit, require_limit
from gate.checks.judging import Wording, judge_number, percent
from gate.checks.storage import spelled
from gate.checks.tighten import FIXED, HIGHER, LOWER
from gate.domain import need
from gate.domain.evidence import Evidence, Measured, Reading
from gate.domain.finding import Dimension, Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope

_RESPELL = "write equals as the data has it, or list it in values if it is right and may be absent"


class RowShare(Check):
    """Requires that the share of current rows where `column` equals `equals` is at least `min` and at most `max`.

    For what people did with the model: override rate, exception rate, thumbs up. Taken over the rows that have a value,
    and compared as the column is stored: `true` is a boolean's, `1` is 1 and 1.0. A value that no row of either side
    has may be misspelt, so it is insufficient, unless `values` lists it as one that may be absent. Judged on the Wilson
    interval of the share.

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
    # FIXED: whatever is listed may be absent without a word.
    values: Annotated[tuple[Name | int | bool, ...] | None, Field(strict=False, min_length=1), FIXED] = None
    min: Annotated[Share | None, HIGHER] = None
    max: Annotated[Share | None, LOWER] = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        require_limit(least=self.min, most=self.max)
        return self

    @property
    def _limit(self) -> Limit:
        return limit(self.min, self.max)

    def _text(self, scope: Scope) -> str | None:
        """`equals` as the column spells it; None without the column, or if no value of its type is that."""
        column = scope.current.find(self.column)
        return None if column is None else spelled(self.equals, column)

    def _may_be_absent(self, text: str, scope: Scope) -> bool:
        column = scope.current.find(self.column)
        return column is not None and any(spelled(value, column) == text for value in self.values or ())

    def needs(self, scope: Scope) -> tuple[need.RowShare, ...]:
        """The share, with its interval."""
        text = self._text(scope)
        if text is None:
            return ()
        return (need.RowShare(self._limit, self.column, text, self.confidence_in(scope)),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Hold it against the limit."""
        subject = {"column": self.column}
        column, text = scope.current.find(self.column), self._text(scope)
        if column is None:
            return (cannot(f"column {self.column} is absent from the current data", subject, self._limit),)
        if text is None:
            reason = f"column {self.column} is {column.type}: none of its values can be {quoted(self.equals)}"
            return (cannot(reason, subject, self._limit, _RESPELL),)
        (wanted,) = self.needs(scope)
        reading = evidence[wanted]
        if _is_unheard_of(reading) and not self._may_be_absent(text, scope):
            return (cannot(_unheard_of(text, self.column, reading, scope), subject, self._limit, _RESPELL),)
        what = f"{self.column} is {quoted(text)}"
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
                reading, self._limit, wording,
                min_rows=self.min_rows_in(scope), confidence=self.confidence_in(scope),
            ),
        )  # fmt: skip


def _is_unheard_of(reading: Reading) -> bool:
    """Whether no row has the value, and nothing says that the reference has it."""
    return isinstance(reading, Measured) and reading.value == 0 and not reading.details.get("occurs", False)


def _unheard_of(text: str, column: str, reading: Reading, scope: Scope) -> str:
    where = "on either side" if column in scope.reference else "in the current data"
    values = reading.details.get("values", ()) if isinstance(reading, Measured) else ()
    has = f"; it has: {listed(map(str, values))}" if values else ""
    return f"{quoted(text)} is no value of {column} {where}{has}"
