"""The common course of checks that say the same thing of several columns, each on its own."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar

from gate.checks.choosing import cannot, nothing, unusable
from gate.checks.contract import Check
from gate.checks.fields import Names
from gate.checks.tighten import SUPERSET
from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Evidence, Reading
from gate.domain.finding import Judgement
from gate.domain.need import ANY, Limit, Need
from gate.domain.scope import Scope


class ColumnwiseCheck(Check):
    """One need and one judgement for each column; a column that cannot be measured is insufficient, never left out."""

    sides: ClassVar[tuple[Side, ...]] = (Side.CURRENT,)
    measurable: ClassVar[tuple[Kind, ...]] = (Kind.NUMERIC, Kind.CATEGORICAL, Kind.TIMESTAMP)

    columns: Annotated[Names | None, SUPERSET] = None

    @abstractmethod
    def default_columns(self, scope: Scope) -> tuple[str, ...]:
        """The columns that are judged when the policy lists none."""

    @abstractmethod
    def need(self, column: str, scope: Scope) -> Need:
        """The evidence about one column."""

    @abstractmethod
    def judge_column(self, column: str, reading: Reading, scope: Scope) -> Judgement:
        """Judge one column that can be measured."""

    def limit_in(self, scope: Scope) -> Limit:  # noqa: ARG002  # for kinds whose limit depends on it
        """The limit that every column is held against, for columns that cannot be."""
        return ANY

    def columns_in(self, scope: Scope) -> tuple[str, ...]:
        """The columns that are judged."""
        return self.columns or self.default_columns(scope)

    def needs(self, scope: Scope) -> tuple[Need, ...]:
        """One for each column that can be measured."""
        return tuple(self.need(column, scope) for column in self.columns_in(scope) if not self._obstacle(column, scope))

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """One for each column."""
        return self._judgements(evidence, scope) or nothing(
            f"there is no column for {self.name} to look at",
            f"list the columns of {self.name} in the policy, or remove the check",
        )

    def _judgements(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        return tuple(self._judged(column, evidence, scope) for column in self.columns_in(scope))

    def _judged(self, column: str, evidence: Evidence, scope: Scope) -> Judgement:
        obstacle = self._obstacle(column, scope)
        if obstacle is not None:
            return cannot(obstacle, {"column": column}, self.limit_in(scope))
        return self.judge_column(column, evidence[self.need(column, scope)], scope)

    def _obstacle(self, column: str, scope: Scope) -> str | None:
        return unusable(column, scope, sides=self.sides, kinds=self.measurable)
