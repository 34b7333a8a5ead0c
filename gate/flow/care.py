"""What a server does by itself: end what is overdue, look again at what serves, forget what is old.

Every task may run in several processes at once and at any moment: each is a question to the record and a change that
happens once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from gate.domain.evaluation import Evaluation, Served, State, Submission, Trigger, Trouble
from gate.errors import GateError
from gate.flow.conclude import FIRST_STAGE
from gate.flow.policies import PolicyShelf
from gate.flow.ports import Archive, Evaluations, Queue
from gate.flow.submit import Desk
from gate.policy.load import LoadedPolicy

_log = logging.getLogger(__name__)

SCHEDULER = "schedule"
"""The principal of what the clock asks for."""

_LINE_REMEMBERS = timedelta(days=2)  # what the record answers for need not stay in line
_USUAL_ALIAS = "champion"


class Aliases(Protocol):
    """What the registry says about which models there are, and which version each alias names. RegistryError."""

    def matching(self, globs: Sequence[str]) -> Sequence[str]:
        """The names of registered models that fit one of the globs."""

    def served(self, name: str, alias: str) -> str | None:
        """The version that `alias` of a model names; None if the alias is not set."""


class Line(Queue, Protocol):
    """A queue that says what became of its work."""

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the evaluations that are in line, or were."""

    def abandoned(self) -> Sequence[str]:
        """The evaluations whose work was given up, as each time it began its worker died."""


@dataclass(frozen=True, slots=True)
class Care:
    """The tasks. Each says what it did.

    Attributes:
        keep: how long ended evaluations and old verdicts are kept.
        swept: is told how many evaluations were ended for being overdue.
    """

    desk: Desk
    evaluations: Evaluations
    archive: Archive
    line: Line
    shelf: PolicyShelf
    aliases: Aliases
    keep: timedelta
    swept: Callable[[int], None]

    def sweep(self, now: datetime) -> int:
        """End what is past its time as an error, and free its model's line; how many."""
        ended = 0
        for late in self.evaluations.overdue(now):
            trouble = _overdue(late)
            if self.evaluations.end(late.id, State.ERROR, now, trouble):
                ended += 1
                _log.error("swept: %s", trouble.detail, extra={"evaluation_id": late.id})
            self.line.cancel(late.id)
        for name in self.line.abandoned():
            given_up = Trouble("abandoned", "each time that work on it began, its worker died")
            if self.evaluations.end(name, State.ERROR, now, given_up):
                ended += 1
                _log.error("swept: %s", given_up.detail, extra={"evaluation_id": name})
            self.line.cancel(name)
        self.swept(ended)
        return ended

    def reconcile(self) -> int:
        """Put in line what is recorded and is not in line: a server died between the two; how many."""
        unfinished = {each.id: each for each in self.evaluations.unfinished()}
        missing = [unfinished[name] for name in unfinished.keys() - self.line.known(list(unfinished))]
        for each in missing:
            self.line.submit(each.id, each.model_name)
        return len(missing)

    def watch(self, now: datetime) -> int:
        """Look up which version serves of each model that a policy is for; how many aliases were looked at."""
        looked = 0
        for policy in self.shelf.current().policies:
            alias = policy.policy.champion.alias if policy.policy.champion else _USUAL_ALIAS
            for name in self.aliases.matching(policy.policy.applies_to.models):
                version = self.aliases.served(name, alias)
                self.archive.see(Served(name, alias, version, None, policy.source, FIRST_STAGE, now))
                looked += 1
        return looked

    def schedule(self, now: datetime) -> int:
        """Ask for the re-evaluations that are due; how many are new.

        Each span of the policy's `evaluate.every` has one name, so that however many servers ask, one is made.
        """
        asked = 0
        for served, every in self._due(now):
            slot = math.floor(now.timestamp() / every.total_seconds())
            uri = f"models:/{served.model_name}/{served.version}"
            submission = Submission(uri, trigger=Trigger.SCHEDULE)
            _, is_new = self.desk.submit(submission, principal=SCHEDULER, key=f"{uri} {every} {slot}", now=now)
            asked += is_new
        return asked

    def purge(self, now: datetime) -> int:
        """Forget what ended longer ago than is kept; how many evaluations and verdicts."""
        before = now - self.keep
        gone = self.archive.purge(before)
        self.line.purge(now - min(self.keep, _LINE_REMEMBERS))
        return sum(gone.values())

    def _due(self, now: datetime) -> Iterator[tuple[Served, timedelta]]:
        """What serves, and was not judged for longer than its policy allows."""
        policies = {policy.source: policy for policy in self.shelf.current().policies}
        for served in self.archive.served():
            policy: LoadedPolicy | None = policies.get(served.policy)
            every = policy.policy.evaluate.every if policy else None
            if every is None or served.version is None:
                continue
            newest, _ = self.archive.page(
                model_name=served.model_name, version=served.version, stage=served.stage, limit=1
            )
            if not newest or _evaluated_at(newest[0]) + every <= now:
                yield served, every


def _overdue(late: Evaluation) -> Trouble:
    if late.state is State.QUEUED:
        return Trouble("never-begun", "nobody began to work on it in time; is a worker running?")
    return Trouble("deadline-exceeded", f"worker {late.worker} did not end it in time, and did not say why")


def _evaluated_at(document: Any) -> datetime:
    return datetime.fromisoformat(str(document["evaluated_at"]))


def carefully(task: Callable[[], object], name: str) -> None:
    """Do a task; what goes wrong is logged, and the task comes round again."""
    try:
        task()
    except GateError as wrong:
        _log.warning("%s: %s", name, wrong)
    except Exception:  # noqa: BLE001  # one task that fails must not end the others, which are all that frees a stuck line
        _log.exception("%s failed", name)
