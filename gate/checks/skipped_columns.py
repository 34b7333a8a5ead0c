"""Names the columns that nothing looks at."""

from __future__ import annotations

from gate.checks.choosing import listed
from gate.checks.contract import Check
from gate.domain.columns import Kind
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement, Severity, Status
from gate.domain.need import Need
from gate.domain.scope import Scope


class SkippedColumns(Check):
    """Names the columns whose type is not measured (nested, binary), so that nobody takes them for checked.

    Shown, never decides. Judged for every policy whose data has such columns.

    Example:
        - {check: skipped_columns}
    """

    kind_severity = Severity.INFO
    is_implicit = True

    def needs(self, scope: Scope) -> tuple[Need, ...]:  # noqa: ARG002  # kinds are in the scope
        """Nothing: the scope has the kinds."""
        return ()

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:  # noqa: ARG002  # needs none
        """One for all of them."""
        types = {column.name: column.type for side in (scope.current, scope.reference) for column in side}
        skipped = [
            f"{name} ({types.get(name, 'unknown type')})"
            for name, kind in scope.kinds.items()
            if kind is Kind.OTHER and name not in scope.roles.ignore
        ]
        if not skipped:
            return (Judgement(Status.PASS, "every column has a type that can be measured"),)
        reason = f"not measured, because of the type: {listed(skipped, 10)}"
        remedy = "take them apart into plain columns, or list them under data.columns.ignore"
        return (Judgement(Status.WARN, reason, remedy=remedy),)
