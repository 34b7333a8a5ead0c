"""Which columns a check takes, and what it says of one that it cannot take."""

from __future__ import annotations

from collections.abc import Iterable

from gate.checks.judging import judge_missing
from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Missing
from gate.domain.finding import Judgement, Status
from gate.domain.need import ANY, Limit
from gate.domain.scope import Scope

BOTH = (Side.REFERENCE, Side.CURRENT)
_KIND_WORDS = {
    Kind.NUMERIC: "numeric",
    Kind.CATEGORICAL: "categorical",
    Kind.TIMESTAMP: "a time",
    Kind.OTHER: "of a type that is not measured",
}


def of_kind(names: Iterable[str], scope: Scope, *kinds: Kind) -> tuple[str, ...]:
    """Keep the columns of these kinds; one that has no kind is on neither side and is kept, to be named as absent."""
    return tuple(dict.fromkeys(name for name in names if name not in scope.kinds or scope.kinds[name] in kinds))


def outputs(scope: Scope) -> tuple[str, ...]:
    """The columns with what the model said: its prediction, its score, the scores of the classes."""
    roles = scope.roles
    named = (roles.prediction, roles.score, *roles.scores.values())
    return tuple(dict.fromkeys(name for name in named if name is not None))


def unusable(column: str, scope: Scope, *, sides: Iterable[Side], kinds: Iterable[Kind]) -> str | None:
    """Say why `column` cannot be measured, or None if it can: absent on a side, or of another kind."""
    schemas = {Side.REFERENCE: scope.reference, Side.CURRENT: scope.current}
    lacking = [side for side in sides if column not in schemas[side]]
    if lacking:
        where = " and ".join(lacking)
        return f"column {column} is absent from the {where} data"
    kind = scope.kinds.get(column, Kind.OTHER)
    allowed = tuple(kinds)
    if kind not in allowed:
        wanted = " or ".join(_KIND_WORDS[one] for one in allowed)
        return f"column {column} is {_KIND_WORDS[kind]}; only a column that is {wanted} can be judged here"
    return None


def cannot(reason: str, subject: dict[str, str], limit: Limit = ANY, remedy: str = "") -> Judgement:
    """Judge something that there is no number for, because of the data or the policy."""
    return judge_missing(Missing(reason), subject, limit, remedy)


def nothing(reason: str, remedy: str = "") -> tuple[Judgement, ...]:
    """The one judgement of a check that has nothing to look at: silence would look green."""
    return (Judgement(Status.INSUFFICIENT, reason, remedy=remedy, flip=remedy or reason),)


def listed(names: Iterable[str], most: int = 5) -> str:
    """Write names one after another, the first few of many: `a, b and 12 more`."""
    every = list(names)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def quoted(value: object, most: int = 40) -> str:
    """Show a value of the data in quotes, cut to a length that a sentence can carry."""
    text = str(value)
    return f"'{text if len(text) <= most else text[: most - 1] + '…'}'"
