"""A request comes to a server: it is named, compared with what that name meant before, recorded, and put in line."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from gate.domain.candidate import ModelRef
from gate.domain.evaluation import Evaluation, State, Submission
from gate.errors import KeyReusedError, OverError, TooBusyError
from gate.flow.policies import PolicyShelf
from gate.flow.ports import Archive, Evaluations, Queue

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:gate:evaluation")
_COUNT_SECONDS = 1.0  # the line is counted at most this often: a full one is refused, not measured
_RETRY_SECONDS = 30


def evaluation_id(principal: str, key: str) -> str:
    """Name the evaluation that `principal` means by `key`: the same one always, and nobody else's."""
    return str(uuid.uuid5(_NAMESPACE, json.dumps([principal, key])))


@dataclass(slots=True)
class Desk:
    """Where requests are handed in.

    Attributes:
        queue_seconds: how long a request may wait before it is given up.
        most_waiting: how many may wait; more are refused until some are done.
    """

    evaluations: Evaluations
    archive: Archive
    queue: Queue
    shelf: PolicyShelf
    queue_seconds: float
    most_waiting: int = 10_000
    clock: Callable[[], float] = time.monotonic
    _counted: tuple[float, int] = field(default=(float("-inf"), 0), init=False)

    def submit(self, submission: Submission, *, principal: str, key: str, now: datetime) -> tuple[Evaluation, bool]:
        """Accept a request; the evaluation, and whether it is a new one.

        When this returns the evaluation is on disk and in line. Asked again, also after a crash in between, the same
        principal and key get the same evaluation.

        Raises:
            UsageError: the model URI is none.
            ClientPolicyError, PolicyError: a policy came along that is refused, or that is wrong.
            KeyReusedError: the key came before with another request.
            TooBusyError: the line is full.
            StoreError, EngineError: it could not be made durable; asking again with the same key is safe.
        """
        model = ModelRef.parse(submission.model)
        if submission.policy is not None:
            self.shelf.tightened(submission.policy)
        return self._enter(self._new(evaluation_id(principal, key), principal, key, submission, model.name, now))

    def retry(self, evaluation_id: str, now: datetime) -> tuple[Evaluation, bool] | None:
        """Ask anew what ended without a verdict, under a new id that is linked to the old one; None if there is none.

        Raises:
            OverError: the evaluation has a verdict, or is not over yet.
            TooBusyError, StoreError, EngineError: as `submit`.
        """
        old = self.evaluations.get(evaluation_id)
        if old is None:
            return None
        if old.state not in (State.ERROR, State.CANCELLED):
            raise OverError(f"evaluation {old.id} is {old.state}; only one that ended in error or was cancelled "
                            f"can be tried again")  # fmt: skip
        name = str(uuid.uuid5(uuid.UUID(old.id), "retry"))
        return self._enter(self._new(name, old.principal, old.key, old.submission, old.model_name, now, old.id))

    def cancel(self, evaluation_id: str, now: datetime) -> Evaluation | None:
        """Cancel an evaluation; None if there is none. Cancelling twice is cancelling once.

        Raises:
            OverError: it has a verdict, or ended in error.
        """
        if self.evaluations.end(evaluation_id, State.CANCELLED, now):
            self.queue.cancel(evaluation_id)
        found = self.evaluations.get(evaluation_id)
        if found is not None and found.state is not State.CANCELLED:
            raise OverError(f"evaluation {found.id} is over already: it is {found.state}")
        return found

    def _new(
        self, name: str, principal: str, key: str, submission: Submission, model: str, now: datetime,
        retry_of: str | None = None,
    ) -> Evaluation:  # fmt: skip
        ends = now + timedelta(seconds=self.queue_seconds)
        return Evaluation(name, principal, key, submission, model, State.QUEUED, now, ends, retry_of=retry_of)

    def _enter(self, new: Evaluation) -> tuple[Evaluation, bool]:
        known = self.evaluations.get(new.id) if self._is_full() else None
        if known is None and self._is_full():
            raise TooBusyError(self._counted[1], _RETRY_SECONDS)
        known = known or self.evaluations.accept(new)
        if known is None:
            self.queue.submit(new.id, new.model_name)
            return new, True
        if different := list(differences(known.submission, new.submission)):
            raise KeyReusedError(different)
        if not known.state.is_over:
            self.queue.submit(known.id, known.model_name)  # the first time may have ended between record and line
        return known, False

    def _is_full(self) -> bool:
        counted_at, waiting = self._counted
        if self.clock() - counted_at > _COUNT_SECONDS:
            waiting = self.archive.backlog().counts.get(State.QUEUED, 0)
            self._counted = self.clock(), waiting
        return waiting >= self.most_waiting


def differences(before: Submission, now: Submission) -> Iterator[str]:
    """Say field by field how a request differs from the one before it."""
    fields, others = asdict(before), asdict(now)
    for name, value in fields.items():
        if value != others[name]:
            yield f"{name} was {_shown(value)} and is {_shown(others[name])}"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."
