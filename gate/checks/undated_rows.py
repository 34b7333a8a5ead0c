"""Says whether a window lost rows that have no time."""

from __future__ import annotations

from gate.checks.contract import Check
from gate.checks.judging import judge_missing
from gate.domain.evidence import Evidence, Missing, Stated
from gate.domain.finding import Judgement, Status
from gate.domain.need import ANY, UndatedRows
from gate.domain.scope import Scope

_SIDES = ("reference", "current")


class UndatedRowsCheck(Check):
    """Requires a time in every row where a window selects rows by it. Always judged.

    A row without a time is in no window: it would leave without a trace, and a feed that loses the time of its worst
    rows would look better for it.

    Example:
        - {check: undated_rows}
    """

    is_implicit = True

    def needs(self, scope: Scope) -> tuple[UndatedRows, ...]:  # noqa: ARG002  # the same in every scope
        """How many rows each side lost."""
        return (UndatedRows(ANY),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:  # noqa: ARG002  # as above
        """None passes, any fails."""
        match evidence[UndatedRows(ANY)]:
            case Stated(value=(int() as reference, int() as current)):
                lost = tuple(_lost(side, rows) for side, rows in zip(_SIDES, (reference, current), strict=True) if rows)
                return lost or (Judgement(Status.PASS, "every row has a time"),)
            case Missing() as missing:
                return (judge_missing(missing, {}),)
            case other:
                return (Judgement(Status.ERROR, f"expected numbers of rows, got {other}: a bug in gate"),)


def _lost(side: str, rows: int) -> Judgement:
    named = "1 row has" if rows == 1 else f"{rows:,} rows have"
    return Judgement(
        Status.FAIL,
        f"{named} no time in the {side} data, so the window leaves them out unseen",
        subject={"data": side},
        remedy="find out where the feed loses the time of its rows",
        flip=f"give the {rows:,} {side} rows their time",
        rows=rows,
    )
