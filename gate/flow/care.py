"""What a server does by itself: end what is overdue, look again at what serves, forget what is old.

Every task may run in several processes at once and at any moment: each is a question to the record and a change that
happens once. What goes wrong with one model or one evaluation is told, and the others have their turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from gate.domain.evaluation import Evaluation, Served, State, Submission, Trigger, Trouble
from gate.domain.verdict import Cause
from gate.errors import DamagedError, GateError
from gate.flow.conclude import FIRST_STAGE
from gate.flow.policies import PolicyShelf
from gate.flow.ports import Archive, Evaluations, Late, Queue
from gate.flow.submit import Desk
from gate.policy.load import LoadedPolicy

_log = logging.getLogger(__name__)

SCHEDULER = "schedule"
"""The principal of what the clock asks for."""

_USUAL_ALIAS = "champion"
_LINE_REMEMBERS = timedelta(days=2)  # what the record answers for need not stay in line
_SKEW = timedelta(seconds=60)  # between the clocks of servers, and longer than any copy of a verdict takes
_NEVER_BEGAN = timedelta(minutes=10)
_FIRST_PAUSE = timedelta(minutes=15)  # before what ended without an answer is asked again; doubled each time
_SEEN_LATELY = timedelta(minutes=10)  # another server's look at the same moment must not undo this one's
_LOOKED_AT = 200  # verdicts and evaluations of a model, newest first


class Aliases(Protocol):
    """What the registry says about which models there are, and which version each alias names. RegistryError."""

    def matching(self, globs: Sequence[str]) -> Sequence[str]:
        """The names of registered models that fit one of the globs."""

    def served(self, name: str, alias: str) -> tuple[str, Mapping[str, str]] | None:
        """The version that `alias` of a model names, and its tags over those of the model; None without the alias."""


class Line(Queue, Protocol):
    """A queue that says what became of its work."""

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the evaluations that are in line, or were."""

    def begun(self) -> Sequence[str]:
        """The evaluations that a worker has taken from the line and not ended, whether that worker lives or not."""

    def abandoned(self) -> Sequence[str]:
        """The evaluations whose work was given up, as each time it began its worker died."""


@dataclass(frozen=True, slots=True)
class Care:
    """The tasks. Each says how much it did.

    Attributes:
        keep: how long ended evaluations and old verdicts are kept.
        swept: is told how many evaluations were ended for being overdue.
        failed: is told the task in which something went wrong.
    """

    desk: Desk
    evaluations: Evaluations
    archive: Archive
    line: Line
    shelf: PolicyShelf
    aliases: Aliases
    keep: timedelta
    swept: Callable[[int], None]
    failed: Callable[[str], None]
    _taken_since: dict[str, datetime] = field(default_factory=dict, init=False)

    def sweep(self, now: datetime) -> int:
        """End what is past its time as an error, and free its model's line; how many."""
        late = [one for one in self.evaluations.overdue(now) if one.expires_at + _patience(one) <= now]
        ended = self._each("sweep", late, lambda one: self._end(one.id, _overdue(one), now, one.expires_at))
        given_up = Trouble("abandoned", "each time that work on it began, its worker died")
        ended += self._each("sweep", self.line.abandoned(), lambda name: self._end(name, given_up, now))
        self.swept(ended)
        return ended

    def reconcile(self, now: datetime) -> int:
        """Bring line and record together, where a process died between the two; how many evaluations.

        What is recorded and not in line is put there. What a worker took from the line, and the record says is over, is
        taken out: were that worker never to come back, its model's next evaluation would wait for it for ever.
        """
        unfinished = dict(self.evaluations.open_ids())
        missing = unfinished.keys() - self.line.known(list(unfinished))
        done = self._each("reconcile", sorted(missing), lambda name: self._put_in_line(name, unfinished[name]))
        begun = self.line.begun()
        for name in self._taken_since.keys() - set(begun):
            del self._taken_since[name]
        return done + self._each("reconcile", begun, lambda name: self._release(name, name in unfinished, now))

    def watch(self, now: datetime) -> int:
        """Look up which version serves of each model that a policy is for; how many aliases were looked at.

        Once all of them were, what nobody has seen for a while is forgotten.
        """
        places: dict[tuple[str, str], None] = {}
        for policy in self.shelf.current().policies:
            alias = policy.policy.champion.alias if policy.policy.champion else _USUAL_ALIAS
            places |= dict.fromkeys((name, alias) for name in self.aliases.matching(policy.policy.applies_to.models))
        looked = self._each("watch", places, lambda place: self._look(place[0], place[1], now))
        if looked == len(places):
            self.archive.forget_served(now - _SEEN_LATELY)
        return looked

    def schedule(self, now: datetime) -> int:
        """Ask for the re-evaluations that are due; how many are new.

        Each is named after the one before it, so that however many servers ask at once, one is made.
        """
        policies = {policy.source: policy for policy in self.shelf.current().policies}
        return self._each(
            "schedule", self.archive.served(), lambda served: self._ask_again(served, policies.get(served.policy), now)
        )

    def purge(self, now: datetime) -> int:
        """Forget what ended longer ago than is kept; how many evaluations and verdicts."""
        gone = self.archive.purge(now - self.keep)
        self.line.purge(now - min(self.keep, _LINE_REMEMBERS))
        return sum(gone.values())

    # --- one at a time -----------------------------------------------------------------------------------------------

    def _each(self, task: str, things: Iterable[Any], do: Callable[[Any], bool]) -> int:
        """Do something with each, whatever happens to the others; how many times it was done."""
        done = 0
        for thing in things:
            done += bool(carefully(lambda thing=thing: do(thing), task, self.failed))  # type: ignore[misc]
        return done

    def _end(self, name: str, trouble: Trouble, now: datetime, expires_at: datetime | None = None) -> bool:
        ended = self.evaluations.end(name, State.ERROR, now, trouble, expires_at=expires_at)
        if ended:
            _log.error("swept: %s", trouble.detail, extra={"evaluation_id": name})
        if ended or expires_at is None:
            self.line.cancel(name)
        return ended

    def _put_in_line(self, name: str, model_name: str) -> bool:
        self.line.submit(name, model_name)
        return True

    def _release(self, name: str, is_open: bool, now: datetime) -> bool:
        """Free the line of what a worker took from it, if nothing will come of it any more."""
        try:
            found = self.evaluations.get(name)
        except DamagedError:
            if is_open:
                return False  # the sweep ends it
            found = None
        if found is not None and found.state is State.QUEUED:
            if now - self._taken_since.setdefault(name, now) < _NEVER_BEGAN:
                return False
            return self._end(name, Trouble("abandoned", "a worker took it from the line and never began"), now)
        if found is not None and (found.finished_at is None or found.finished_at + _SKEW > now):
            return False
        self.line.cancel(name)
        return True

    def _look(self, name: str, alias: str, now: datetime) -> bool:
        found = self.aliases.served(name, alias)
        version, tags = found or (None, {})
        fitting = self.shelf.current().fitting(name, tags) if found else ()
        if len(fitting) == 1:
            self.archive.see(Served(name, alias, version, fitting[0].source, FIRST_STAGE, now))
        return True

    def _ask_again(self, served: Served, policy: LoadedPolicy | None, now: datetime) -> bool:
        every = policy.policy.evaluate.every if policy else None
        if every is None or served.version is None:
            return False
        decided = self._decided(served)
        if decided is not None and decided + every > now:
            return False
        uri = f"models:/{served.model_name}/{served.version}"
        since = [one for one in self._scheduled(served.model_name, uri) if decided is None or one.created_at > decided]
        if since:  # none of them has come to a decision
            pause = min(_FIRST_PAUSE * 2 ** min(len(since) - 1, 16), every)
            if since[0].finished_at is None or since[0].finished_at + pause > now:
                return False
        after = since[0].id if since else decided
        submission = Submission(uri, trigger=Trigger.SCHEDULE)
        return self.desk.submit(submission, principal=SCHEDULER, key=f"{uri} after {after}", now=now)[1]

    def _decided(self, served: Served) -> datetime | None:
        """When what serves was last judged as the policy wants: enforced, on the policy's data, with a decision."""
        newest, _ = self.archive.page(
            model_name=served.model_name, version=served.version, stage=served.stage, limit=_LOOKED_AT
        )
        return next(
            (
                datetime.fromisoformat(str(document["evaluated_at"]))
                for document in newest
                if document["enforced"] and not document["data"]["overridden"] and document["cause"] != Cause.ERROR
            ),
            None,
        )

    def _scheduled(self, model_name: str, uri: str) -> list[Evaluation]:
        """What the clock asked about a version, newest first."""
        newest, _ = self.evaluations.page(model_name=model_name, limit=_LOOKED_AT)
        return [one for one in newest if one.principal == SCHEDULER and one.submission.model == uri]


def _patience(late: Late) -> timedelta:
    """How long after its time a piece of work is left to its worker, whose clock may be another."""
    return timedelta(0) if late.state is State.QUEUED else _SKEW


def _overdue(late: Late) -> Trouble:
    if late.state is State.QUEUED:
        return Trouble("never-begun", "nobody began to work on it in time; is a worker running?")
    return Trouble("deadline-exceeded", f"worker {late.worker} did not end it in time, and did not say why")


def carefully(task: Callable[[], object], name: str, failed: Callable[[str], None]) -> object:
    """Do a task; what goes wrong is logged and counted, and the task comes round again."""
    try:
        return task()
    except GateError as wrong:
        _log.warning("%s: %s", name, wrong)
    except Exception:  # noqa: BLE001  # one task that fails must not end the others, which are all that frees a stuck line
        _log.exception("%s failed", name)
    failed(name)
    return None
