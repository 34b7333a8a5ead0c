"""The work of a server: one accepted evaluation, from the line to its verdict or to the reason why there is none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from gate.domain.evaluation import Evaluation, State, Submission, Trouble
from gate.domain.verdict import Cause
from gate.errors import (
    CandidateError,
    DamagedError,
    DataError,
    DataRefusedError,
    EvidenceError,
    GateError,
    MissingExtraError,
    PolicyError,
    RegistryError,
    StoreError,
    SupersededError,
    UsageError,
)  # fmt: skip
from gate.flow.policies import PolicyShelf
from gate.flow.ports import Archive, Evaluations, Notices
from gate.policy.match import PolicySet

_log = logging.getLogger(__name__)

_REFUSED = UsageError.exit_code
_ROWS_EVERY_SECONDS = 0.5  # progress is for people: no database is written to more often than they look
_GRACE_SECONDS = 5.0  # for the worker to end late work itself, and say so better than the sweeper could
_AGAIN = "retried"
_MOST_OUTAGES = 3  # of the database, at each of which the work is begun anew
_MOST_DEATHS = 3  # a process that is ended by a signal is tried again: the machine may have been short of memory


class WorkStoppedError(Exception):
    """The process was ended because nobody wants its answer any more."""


class WorkLateError(Exception):
    """The process was ended because its time was up."""


class WorkDiedError(Exception):
    """The process ended by itself without an answer; the message says how."""


class WorkCrashedError(Exception):
    """The work raised something that gate never raises on purpose: a bug. The message names it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the process that evaluates has to know."""

    evaluation_id: str
    submission: Submission
    policies: PolicySet
    seconds: float


class Runner(Protocol):
    """Runs a job in a process of its own, which can be ended."""

    def run(
        self, job: Job, *, on_message: Callable[[Mapping[str, Any]], None], should_stop: Callable[[], bool]
    ) -> Mapping[str, Any]:
        """Run until there is an answer: the verdict's id, its findings and timings.

        Raises:
            GateError: as the evaluation raised it.
            WorkStoppedError, WorkLateError, WorkDiedError, WorkCrashedError: there will be no answer.
        """


class WorkObserver(Protocol):
    """Hears how evaluations go."""

    def begun(self) -> None:
        """One more is being worked on."""

    def ended(self, evaluation: Evaluation, outcome: str, seconds: float, answer: Mapping[str, Any]) -> None:
        """One is over: `outcome` is promote, hold, refused, error, cancelled or retried.

        `answer` is the runner's, empty without one.
        """

    def called(self, operation: str, result: str, seconds: float) -> None:
        """The registry was asked by it."""

    def scanned(self, rows: int) -> None:
        """So many more rows were read."""


@dataclass(frozen=True, slots=True)
class Work:
    """Does evaluations, one call each. A call may come twice, after a crash or at the same time: one verdict results.

    Attributes:
        worker: the name of this worker, for the record.
        seconds: how long an evaluation may take where its policy does not say.
        url_of: the address of a verdict's page; None if nobody knows the server's.
    """

    evaluations: Evaluations
    archive: Archive
    shelf: PolicyShelf
    runner: Runner
    notices: Notices
    observer: WorkObserver
    now: Callable[[], datetime]
    worker: str
    seconds: float
    url_of: Callable[[str], str | None]

    def perform(self, evaluation_id: str) -> None:
        """Work on an evaluation until it is over.

        Raises:
            StoreError: the database was away; calling again goes on.
        """
        seen = self.evaluations.get(evaluation_id)
        if seen is None:
            _log.warning("there is no such evaluation any more", extra={"evaluation_id": evaluation_id})
            return
        seconds = self._seconds(seen.model_name)
        begun = self.evaluations.start(
            evaluation_id, self.worker, self.now(), self.now() + timedelta(seconds=seconds + _GRACE_SECONDS)
        )  # fmt: skip
        if begun is None:
            return
        _log.info("work begins%s on %s", " again" if begun.tries > 1 else "", begun.submission.model,
                  extra={"evaluation_id": evaluation_id, "tries": begun.tries})  # fmt: skip
        self.observer.begun()
        since, answer, outcome, trouble = time.monotonic(), dict[str, Any](), _AGAIN, None
        try:
            answer, trouble = self._tried(begun, seconds)
            if trouble is not None:
                self.evaluations.end(evaluation_id, State.ERROR, self.now(), trouble)
            outcome = self._outcome(evaluation_id, answer)
        finally:
            why = f": {trouble.detail}" if trouble else ""
            _log.info("%s ends as %s%s", begun.submission.model, outcome, why, extra={"evaluation_id": evaluation_id})
            self.observer.ended(begun, outcome, time.monotonic() - since, answer)

    def tell(self, evaluation_id: str) -> None:
        """Leave copies of the verdict where others look. RegistryError if that failed; calling again goes on."""
        done = self.evaluations.get(evaluation_id)
        if done is None or done.verdict_id is None:
            return
        document = self.archive.find(done.verdict_id)
        if document is not None:
            self.notices.tell(document, self.url_of(done.verdict_id))

    def _tried(self, begun: Evaluation, seconds: float) -> tuple[dict[str, Any], Trouble | None]:
        """The answer, or why there is none; neither if the evaluation is over, as whoever ended it has said."""
        try:
            return dict(self._answer(begun, seconds)), None
        except (WorkStoppedError, SupersededError):
            return {}, None
        except DamagedError as damaged:
            return {}, trouble_of(damaged, seconds)
        except StoreError:
            if begun.tries < _MOST_OUTAGES:
                raise
            return {}, Trouble("store-unavailable", "the database was away each time that the work began")
        except Exception as wrong:  # noqa: BLE001  # whatever it was, the evaluation must not stay in the line
            if not isinstance(wrong, GateError):
                _log.exception("evaluation failed", extra={"evaluation_id": begun.id})
            return {}, trouble_of(wrong, seconds)

    def _answer(self, evaluation: Evaluation, seconds: float) -> Mapping[str, Any]:
        policies = self.shelf.current()
        if evaluation.submission.policy is not None:
            policies = replace(policies, tightened=self.shelf.tightened(evaluation.submission.policy))
        job = Job(evaluation.id, evaluation.submission, policies, seconds)
        for death in range(1, _MOST_DEATHS + 1):
            try:
                return self.runner.run(
                    job, on_message=self._listener(evaluation.id), should_stop=lambda: self._is_over(evaluation.id)
                )
            except WorkDiedError as died:
                _log.warning("%s", died, extra={"evaluation_id": evaluation.id})
                if death == _MOST_DEATHS or self._is_over(evaluation.id):
                    raise
        raise AssertionError("the loop ends by itself")

    def _listener(self, evaluation_id: str) -> Callable[[Mapping[str, Any]], None]:
        """Write progress into the record. It is for people: losing a line of it costs no verdict."""
        scanned, written_at = 0, float("-inf")

        def listen(message: Mapping[str, Any]) -> None:
            nonlocal scanned, written_at
            match message:
                case {"kind": "called", "operation": str(operation), "result": str(result), "seconds": seconds}:
                    self.observer.called(operation, result, float(seconds))
                case {"kind": "rows", "scanned": int(rows)}:
                    scanned += rows
                    self.observer.scanned(rows)
                    if time.monotonic() - written_at >= _ROWS_EVERY_SECONDS:
                        written_at = time.monotonic()
                        self._note(evaluation_id, "rows", {"scanned": scanned})
                case {"kind": "phase", "name": str(name), "detail": str(detail)}:
                    self._note(evaluation_id, "phase", {"name": name, "detail": detail})
                case {"kind": "log", "logger": str(logger), "level": int(level), "text": str(text)}:
                    logging.getLogger(logger).log(level, "%s", text, extra={"evaluation_id": evaluation_id})
                case _:
                    _log.warning("a message that nobody understands: %s", message)

        return listen

    def _note(self, evaluation_id: str, kind: str, data: Mapping[str, object]) -> None:
        try:
            self.evaluations.note(evaluation_id, kind, data, self.now())
        except StoreError as away:
            _log.warning("progress is not recorded: %s", away, extra={"evaluation_id": evaluation_id})

    def _is_over(self, evaluation_id: str) -> bool:
        """Whether the record says that nobody waits any more. While the record is away, work goes on."""
        try:
            found = self.evaluations.get(evaluation_id)
        except StoreError:
            return False
        return found is None or found.state.is_over

    def _outcome(self, evaluation_id: str, answer: Mapping[str, Any]) -> str:
        """In one word: promote, hold, refused (the request or a policy is wrong), error or cancelled."""
        found = self.evaluations.get(evaluation_id)
        if found is None:
            return str(State.CANCELLED)
        if not answer and found.verdict_id is not None:  # stored, and then the process died before it could say so
            answer = self.archive.find(found.verdict_id) or {}
        if answer:
            return "error" if answer["cause"] == Cause.ERROR else str(answer["decision"])
        return "refused" if found.trouble is not None and found.trouble.exit_code == _REFUSED else str(found.state)

    def _seconds(self, model_name: str) -> float:
        """The longest deadline of the policies that may apply: which one does is known only to the registry's tags."""
        stated = [policy.policy.evaluate.deadline for policy in self.shelf.current().naming(model_name)]
        return max((d.total_seconds() if d else self.seconds for d in stated), default=self.seconds)


_KINDS: tuple[tuple[type[GateError], str], ...] = (
    (PolicyError, "policy-error"),
    (CandidateError, "candidate-error"),
    (MissingExtraError, "server-incomplete"),
    (DataRefusedError, "data-refused"),
    (UsageError, "usage-error"),
    (RegistryError, "registry-unreachable"),
    (DataError, "data-unreadable"),
    (EvidenceError, "evidence-failed"),
    (DamagedError, "verdict-damaged"),
    (StoreError, "store-unavailable"),
)


def trouble_of(wrong: Exception, seconds: float) -> Trouble:
    """Say why there is no verdict: by a stable word, a sentence, and the exit code of the command that waits."""
    match wrong:
        case WorkLateError():
            return Trouble("deadline-exceeded", f"no verdict within {seconds:g} s; the policy's evaluate.deadline, or "
                           f"GATE_EVALUATION_SECONDS of the server, allows more")  # fmt: skip
        case WorkDiedError():
            return Trouble("process-died", "the process that evaluated ended without an answer; the server's log says "
                           "how. Where memory ran short, lower GATE_MEMORY_LIMIT")  # fmt: skip
        case PolicyError():
            problems = tuple(map(str, wrong.problems))
            return Trouble("policy-error", problems[0] if problems else str(wrong), wrong.exit_code, problems)
        case GateError():
            kind = next((word for error, word in _KINDS if isinstance(wrong, error)), "could-not-decide")
            return Trouble(kind, str(wrong), wrong.exit_code)
        case _:
            return Trouble("internal-error", "something went wrong that gate never expects: this is a bug in gate, and "
                           "the server's log has its traceback")  # fmt: skip
