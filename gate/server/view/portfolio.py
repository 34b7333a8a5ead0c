"""All models at a glance: which may go on, and what stands in the way of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from gate.domain.evaluation import Evaluation, Served
from gate.flow.ports import Standing
from gate.policy.load import LoadedPolicy
from gate.policy.match import PolicySet
from gate.server.view.standing import Answer, Position, position_of

_ORDER = tuple(Answer)  # the ones that need somebody first


@dataclass(frozen=True, slots=True)
class PilotAge:
    """How old a pilot is, against the day on which it is to be decided.

    Attributes:
        day: 1 on the day it began; None if the policy names none.
        days: from its beginning to the day of the decision; None if one of them is not known.
        left: days until the decision, negative once it has passed; None if no day is set.
        share: how much of its time has gone, 0 to 1.
    """

    started: date | None
    decide_by: date | None
    day: int | None
    days: int | None
    left: int | None
    share: float | None

    @property
    def is_overdue(self) -> bool:
        """Whether it should have been decided by now."""
        return self.left is not None and self.left < 0


@dataclass(frozen=True, slots=True)
class Row:
    """One model in one stage."""

    position: Position
    pilot: PilotAge | None
    served: tuple[Served, ...]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The rows that are shown, the counts of all, and what is being judged."""

    rows: tuple[Row, ...]
    counts: Mapping[Answer, int]
    total: int
    running: tuple[Evaluation, ...]
    only: Answer | None


def portfolio_of(
    standings: Iterable[Standing], served: Sequence[Served], running: Iterable[Evaluation], policies: PolicySet | None,
    now: datetime, only: Answer | None = None,
) -> Portfolio:  # fmt: skip
    """Lay out all standings: what needs somebody first, then by name; `only` picks one answer."""
    rows = []
    for standing in standings:
        policy = policy_of(policies, standing.document)
        position = position_of(standing.document, now, owner_of(policy))
        aliases = tuple(seen for seen in served if seen.model_name == standing.model_name and seen.version is not None)
        rows.append(Row(position, pilot_age(policy, now.date()), aliases))
    rows.sort(key=lambda row: (_ORDER.index(row.position.answer), row.position.name, row.position.document["stage"]))
    counts = Counter(row.position.answer for row in rows)
    shown = tuple(row for row in rows if only is None or row.position.answer is only)
    return Portfolio(shown, {answer: counts[answer] for answer in Answer}, len(rows), tuple(running), only)


def policy_of(policies: PolicySet | None, document: Mapping[str, Mapping[str, str]]) -> LoadedPolicy | None:
    """The policy that a verdict names, as it is today; None if there is none of that name any more."""
    name = document["policy"]["name"]
    return next((policy for policy in policies.policies if policy.policy.name == name), None) if policies else None


def owner_of(policy: LoadedPolicy | None) -> str:
    """Who answers for the outcome; empty if nobody does."""
    return (policy.policy.owner or "") if policy else ""


def pilot_age(policy: LoadedPolicy | None, today: date) -> PilotAge | None:
    """How old the policy's pilot is; None if the policy says nothing of its time."""
    pilot = policy.policy.pilot if policy else None
    if pilot is None or (pilot.started is None and pilot.decide_by is None):
        return None
    started, decide_by = pilot.started, pilot.decide_by
    day = (today - started).days + 1 if started else None
    days = (decide_by - started).days + 1 if started and decide_by else None
    share = min(max(day / days, 0.0), 1.0) if day is not None and days and days > 0 else None
    return PilotAge(started, decide_by, day, days, (decide_by - today).days if decide_by else None, share)
