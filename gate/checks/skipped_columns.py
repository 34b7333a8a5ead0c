"""Names the columns that nothing looks at."""

from __future__ import annotations

from gate.checks.contract import Check
from gate.domain.columns import Kind
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement, Severity, Status
from gate.domain.need import Need
from gate.domain.scope import Scope


def skipped(scope: Scope) -> tuple[str, ...]:
    """The columns that no drift check takes by itself: features that are times, and all of a type without a measure."""
    features = [name for name in scope.features if scope.kinds.get(name) in (Kind.TIMESTAMP, Kind.OTHER)]
    others = [name for name, kind in scope.kinds.items() if kind is Kind.OTHER and name not in scope.roles.ignore]
    return tuple(dict.fromkeys((*features, *others)))


class SkippedColumns(Check):
    """Names the columns whose type is not measured, so that nobody takes them for checked.

    These are nested and binary columns, and features that are times: a distance between two stretches of time would
    only say that time has passed. One finding for each. Shown, never decides. Judged for every policy whose data has
    such columns.

    Example:
        - {check: skipped_columns}
    """

    kind_severity = Severity.INFO
    is_implicit = True

    def needs(self, scope: Scope) -> tuple[Need, ...]:  # noqa: ARG002  # kinds are in the scope
        """Nothing: the scope has the kinds."""
        return ()

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:  # noqa: ARG002  # needs none
        """One for each of them."""
        named = tuple(_named(column, scope) for column in skipped(scope))
        return named or (Judgement(Status.PASS, "every column has a type that can be measured"),)


def _named(column: str, scope: Scope) -> Judgement:
    stored = scope.reference.find(column) or scope.current.find(column)
    type_ = stored.type if stored else "unknown type"
    inputs = scope.signature.inputs if scope.signature else ()
    is_input = any(one.name == column for one in inputs)
    what = f"{column} ({type_}), an input of the model," if is_input else f"{column} ({type_})"
    is_time = scope.kinds[column] is Kind.TIMESTAMP
    return Judgement(
        Status.WARN,
        f"{what} is a time, whose drift is not measured" if is_time else f"{what} has a type that is not measured",
        subject={"column": column},
        remedy="derive plain columns from it, such as an hour or an age" if is_time
        else "take it apart into plain columns, or list it under data.columns.ignore",
    )  # fmt: skip
