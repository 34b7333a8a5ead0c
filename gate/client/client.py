"""A gate server, as a pipeline asks it: submit, wait, read the verdict and its report.

Whatever the server or something in front of it answers, a verdict comes out of here only if it is whole, true to its
digest and about what was asked. Everything else is a ServerError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from gate.client.address import page
from gate.client.events import GarbledError, read_events
from gate.client.exchange import Exchange, quoted
from gate.client.patience import Clock, TimeLimit, backoff
from gate.client.reading import (
    EvaluationAnswer,
    OpenApiAnswer,
    ReadinessAnswer,
    ReportAnswer,
    Verdicts,
    read_answer,
    read_problem,
    refusal,
)
from gate.client.reply import Reply
from gate.client.verdict import LARGEST_BYTES, Asked, Ruling, read_document, rule
from gate.domain.candidate import ModelRef
from gate.domain.evaluation import State, Submission
from gate.errors import GateError, ServerError, UsageError
from gate.flow.ports import Observer, Silent

_EVALUATION_BYTES = 2**20
_LIST_BYTES = 64 * 2**20
_FILE_BYTES = 64 * 2**20
_REPORT_BYTES = 256 * 2**20
_POLL_SECONDS = 25.0
_STREAM_SECONDS = 60.0  # a stream is left now and then, and the record asked: the stream alone is never believed
_HEARTBEAT_SECONDS = 45.0  # the server sends one each 15 s
_MOST_STREAM_FAILURES = 3
_SLACK_SECONDS = 2.0


@dataclass
class _Follower:
    """Where the client stands in the events of one evaluation."""

    observer: Observer
    last: int = 0
    scanned: int = 0
    phase: str = ""
    failures: int = 0

    def begin(self, name: str, detail: str = "") -> None:
        """Say that a phase begins, once."""
        if (name, detail) != (self.phase, ""):
            self.phase = name
            self.observer.phase(name, detail)

    def rows(self, total: object) -> None:
        """Say how many more rows were read."""
        if isinstance(total, int) and total > self.scanned:
            self.observer.scanned(total - self.scanned)
            self.scanned = total


@dataclass
class Client:
    """Asks the gate server at `url` within `limit`. Use it as a context manager.

    Attributes:
        notice: hears, in a sentence, why the client is asking again.
        now: the time of day, UTC.
    """

    url: str
    limit: TimeLimit = field(default_factory=TimeLimit)
    notice: Callable[[str], None] = lambda _: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        self._exchange = Exchange(self.url, self.limit, self.notice)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exchange.close()

    @property
    def name(self) -> str:
        """The server, for messages: without a password."""
        return self._exchange.name

    # --- asking ------------------------------------------------------------------------------------------------------

    def submit(self, submission: Submission, keys: Iterable[str]) -> EvaluationAnswer:
        """Ask for an evaluation: by the first key that does not name one which was over before this client came.

        Raises:
            UsageError, PolicyError: the server refuses the question.
            ServerError: there is no server, or its answer is about something else.
        """
        for key in keys:
            reply = self._exchange.ask(
                "POST", "/v1/evaluations", body=body_of(submission), headers={"Idempotency-Key": key},
                most_bytes=_EVALUATION_BYTES,
            )  # fmt: skip
            evaluation = self._evaluation(reply)
            if not self._is_about(evaluation, submission):
                raise ServerError(f"{self.name}: took up another question than the one that was asked")
            if reply.status == 202 or not evaluation.state.is_over or _is_of_now(evaluation, reply):
                return evaluation
        raise ServerError(f"{self.name}: answers only with evaluations that were over before")

    def evaluation(self, evaluation_id: str) -> EvaluationAnswer:
        """Read an evaluation; UsageError if the server has none of that id."""
        return self._get(evaluation_id, 0.0)

    def cancel(self, evaluation_id: str) -> EvaluationAnswer:
        """Cancel an evaluation; UsageError if it is over already."""
        path = f"/v1/evaluations/{quoted(evaluation_id)}"
        return self._evaluation(self._exchange.ask("DELETE", path, most_bytes=_EVALUATION_BYTES), evaluation_id)

    def retry(self, evaluation_id: str) -> EvaluationAnswer:
        """Ask anew, under a new id, what ended without a verdict; UsageError if it did not."""
        path = f"/v1/evaluations/{quoted(evaluation_id)}/retry"
        return self._evaluation(self._exchange.ask("POST", path, most_bytes=_EVALUATION_BYTES))

    # --- waiting -----------------------------------------------------------------------------------------------------

    def wait(self, evaluation_id: str, observer: Observer | None = None) -> EvaluationAnswer:
        """Wait until an evaluation is over, and return it as its record has it.

        Progress comes as server-sent events, continued where a broken stream stopped; where events do not come
        through, the record is polled.
        """
        follower = _Follower(observer or Silent())
        while True:
            is_polled = follower.failures >= _MOST_STREAM_FAILURES
            heard_the_end = not is_polled and self._follow(evaluation_id, follower)
            asked = self.limit.clock.now()
            evaluation = self._get(evaluation_id, min(_POLL_SECONDS, max(self.limit.left, 0.0)) if is_polled else 0.0)
            if evaluation.state.is_over:
                return evaluation
            follower.observer.scanned(0)  # a sign of life
            if heard_the_end:  # but the record says otherwise, and that is what counts
                follower.failures += 1
                self.limit.rest(backoff(follower.failures, self.limit.clock))
            if is_polled:
                phase = evaluation.phase if isinstance(evaluation.phase, str) else ""
                follower.begin(phase or str(evaluation.state))
                if self.limit.clock.now() - asked < 1.0:  # a server that does not wait is not asked without a pause
                    self.limit.rest(2.0)

    def _follow(self, evaluation_id: str, follower: _Follower) -> bool:
        """Hear events until the last one (True), or until the stream breaks or has been open for long (False)."""
        path = f"/v1/evaluations/{quoted(evaluation_id)}/events"
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(follower.last)} if follower.last else {})
        opened, heard = self.limit.clock.now(), False
        try:
            with self._exchange.stream(path, headers, _HEARTBEAT_SECONDS) as response:
                media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                if response.status_code != 200 or media_type != "text/event-stream":
                    follower.failures += 1
                    return False
                for told in read_events(self._while_fresh(response, opened)):
                    if told.number is not None and told.number > follower.last:
                        follower.last, heard = told.number, True
                        self._tell(follower, told.kind, told.data)
                    if told.kind in (State.DONE, State.ERROR, State.CANCELLED):
                        return True
                    follower.observer.scanned(0)  # a sign of life
        except (httpx.TransportError, GarbledError):
            pass
        if self.limit.clock.now() - opened <= _STREAM_SECONDS:
            follower.failures = 0 if heard else follower.failures + 1
            self.limit.rest(backoff(max(follower.failures, 1), self.limit.clock))
        return False

    def _while_fresh(self, response: httpx.Response, opened: float) -> Iterator[bytes]:
        for chunk in response.iter_raw():
            self.limit.check()
            if self.limit.clock.now() - opened > _STREAM_SECONDS:
                return
            yield chunk

    def _tell(self, follower: _Follower, kind: str, data: Mapping[str, Any]) -> None:
        match kind:
            case "queued":
                follower.begin("queued")
            case "started":
                follower.begin("started")
            case "phase":
                follower.begin(str(data.get("name", "working"))[:80], str(data.get("detail") or "")[:300])
            case "rows":
                follower.rows(data.get("scanned"))
            case _:
                pass  # of a later version

    # --- what came of it ---------------------------------------------------------------------------------------------

    def ruling(self, evaluation: EvaluationAnswer, *, enforced: bool, overridden: bool | None = None,
               model: ModelRef | None = None, stage: str | None = None) -> Ruling:  # fmt: skip
        """Fetch and check the verdict of an evaluation that is done.

        Raises:
            ServerError: there is none (any more), or it is not whole, not true to its digest, or not about what was
                asked.
        """
        if evaluation.state is not State.DONE or not evaluation.verdict_id:
            raise ServerError(f"{self.name}: evaluation {evaluation.id} is {evaluation.state} without a verdict")
        asked = Asked(
            evaluation.verdict_id, model or self._model_of(evaluation), enforced, stage or evaluation.stage,
            overridden, evaluation.decision, evaluation.exit_code,
        )  # fmt: skip
        reply = self._ask_document(evaluation.verdict_id)
        problem = read_problem(reply)
        if problem is not None and problem.kind == "not-found":  # nothing about the command is wrong: there was one
            raise ServerError(
                f"{self.name}: evaluation {evaluation.id} is done, but its verdict {evaluation.verdict_id} is not kept "
                f"any more; ask for a new one with gate check"
            )
        return rule(read_document(reply, self.name), asked, self.name, self.now())

    def document(self, verdict_id: str) -> dict[str, Any]:
        """Fetch a verdict by its id or the beginning of it; UsageError if there is none."""
        document = read_document(self._ask_document(verdict_id), self.name)
        if not document["id"].startswith(verdict_id):
            raise ServerError(f"{self.name}: answered with another verdict than {verdict_id}")
        return document

    def report(self, verdict_id: str) -> dict[str, bytes]:
        """Fetch the files of a verdict's report, by name; ServerError if the server keeps none."""
        path = f"/v1/verdicts/{quoted(verdict_id)}/report"
        listed = read_answer(ReportAnswer, self._exchange.ask("GET", path, most_bytes=_EVALUATION_BYTES), self.name)
        files: dict[str, bytes] = {}
        left = _REPORT_BYTES
        for file in listed.files:
            reply = self._exchange.ask(
                "GET", f"{path}/{quoted(file.name)}", most_bytes=min(_FILE_BYTES, left), headers={"Accept": "*/*"}
            )
            if reply.status != 200:
                raise refusal(reply, self.name)
            files[file.name] = reply.body
            left -= len(reply.body)
        if not files:
            raise ServerError(f"{self.name}: keeps no report of verdict {verdict_id}")
        return files

    def previous(self, model_name: str, verdict_id: str) -> str | None:
        """The id of a model's verdict before this one. A hint for people: asked for once, and none if that fails."""
        try:
            reply = self._exchange.ask(
                "GET", "/v1/verdicts", params={"model": model_name, "limit": "2"}, most_bytes=_LIST_BYTES,
                again=False,
            )  # fmt: skip
            items = read_answer(Verdicts, reply, self.name).items
        except GateError:
            return None
        return next((item.id for item in items if item.id != verdict_id), None)

    def page_of(self, evaluation: EvaluationAnswer) -> str:
        """The address of the page that shows an evaluation, or its verdict once there is one."""
        links = evaluation.links if isinstance(evaluation.links, dict) else {}
        if evaluation.verdict_id:
            return page(self.url, evaluation.verdict_url, f"/verdicts/{quoted(evaluation.verdict_id)}")
        return page(self.url, links.get("page"), f"/evaluations/{evaluation.id}")

    def readiness(self) -> ReadinessAnswer:
        """Whether the server can do its work, and what stands in the way; asked only once."""
        reply = self._exchange.ask("GET", "/readyz", most_bytes=_EVALUATION_BYTES, again=False)
        return read_answer(ReadinessAnswer, replace(reply, status=200) if reply.status == 503 else reply, self.name)

    def version(self) -> str:
        """The version of gate that the server runs, as its OpenAPI document says."""
        reply = self._exchange.ask("GET", "/v1/openapi.json", most_bytes=_LIST_BYTES, again=False)
        return read_answer(OpenApiAnswer, reply, self.name).info.version

    # --- parts -------------------------------------------------------------------------------------------------------

    def _ask_document(self, verdict_id: str) -> Reply:
        return self._exchange.ask("GET", f"/v1/verdicts/{quoted(verdict_id)}", most_bytes=LARGEST_BYTES)

    def _is_about(self, evaluation: EvaluationAnswer, submission: Submission) -> bool:
        asked = (ModelRef.parse(submission.model), not submission.enforced, submission.stage or evaluation.stage)
        return (self._model_of(evaluation), evaluation.report_only, evaluation.stage) == asked

    def _model_of(self, evaluation: EvaluationAnswer) -> ModelRef:
        try:
            return ModelRef.parse(evaluation.model)
        except UsageError as wrong:
            raise ServerError(f"{self.name}: answered with an evaluation of no model: {wrong}") from wrong

    def _get(self, evaluation_id: str, wait_seconds: float) -> EvaluationAnswer:
        path = f"/v1/evaluations/{quoted(evaluation_id)}"
        params = {"wait": f"{wait_seconds:.0f}"} if wait_seconds else None
        reply = self._exchange.ask(
            "GET", path, params=params, most_bytes=_EVALUATION_BYTES, wait_seconds=wait_seconds
        )  # fmt: skip
        return self._evaluation(reply, evaluation_id)

    def _evaluation(self, reply: Reply, evaluation_id: str | None = None) -> EvaluationAnswer:
        evaluation = read_answer(EvaluationAnswer, reply, self.name)
        if evaluation_id is not None and evaluation.id != evaluation_id:
            raise ServerError(f"{self.name}: answered with another evaluation than {evaluation_id}")
        return evaluation


def body_of(submission: Submission) -> dict[str, Any]:
    """A question as the server reads it."""
    policy = submission.policy
    return {
        "model": submission.model,
        "stage": submission.stage,
        "reference": submission.reference,
        "current": submission.current,
        "report_only": not submission.enforced,
        "policy": None if policy is None else {"file": policy.file, "text": policy.text},
        "trigger": str(submission.trigger),
    }


def _is_of_now(evaluation: EvaluationAnswer, reply: Reply) -> bool:
    """Whether what is over already was made by this client, whose first try reached the server and lost its answer.

    Told by the server's own clock. Where that cannot be, it is not: the worst is one evaluation too many.
    """
    if reply.tries == 1:
        return False
    try:
        answered = parsedate_to_datetime(reply.headers.get("date", ""))
        return (answered - evaluation.created_at).total_seconds() <= reply.seconds + _SLACK_SECONDS
    except (TypeError, ValueError):
        return False


__all__ = ["Client", "Clock", "TimeLimit", "body_of"]
