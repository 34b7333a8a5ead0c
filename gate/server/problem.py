"""What goes wrong, as a client sees it: a small catalogue of problem types (RFC 9457), and every error's place in it.

A type is the URI `urn:gate:problem:KIND`; it never changes its meaning. `docs/api.md` lists them all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gate.errors import (
    ClientPolicyError,
    DamagedError,
    EngineError,
    GateError,
    KeyReusedError,
    MissingExtraError,
    OverError,
    PolicyError,
    StoreError,
    TooBusyError,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:gate:problem:"
RETRY_SECONDS = 5  # for whoever asks while the database or the engine is away


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of problem.

    Attributes:
        word: the last part of the type's URI.
        status: of the response; None for what only ends an evaluation and is no response of its own.
        title: the same for every occurrence.
        meaning: when it happens, and what to do about it.
        extras: further members of the document, with their meaning.
    """

    word: str
    status: int | None
    title: str
    meaning: str
    extras: Mapping[str, str] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """The value of `type`."""
        return PREFIX + self.word


_ERRORS = {"errors": "what is wrong, each with its `place` in the request and a `message`"}
_PROBLEMS = {"problems": "everything that is wrong with the policy, each as `file:line: message`"}

_KINDS = (
    Kind("not-json", 400, "The body is not JSON",
         "The body is not UTF-8, not JSON, or names a member twice. Send one JSON object."),
    Kind("client-policy-refused", 400, "This server judges by its own policies",
         "The request brings a policy and the server takes none, or takes only those that extend one of its own "
         "(`client_policies: tighten`). Leave the policy out."),
    Kind("cross-site", 403, "A page of another site asked for a change",
         "A browser says that another site's page sent this request. Programs are not affected."),
    Kind("not-found", 404, "There is nothing here",
         "No such page, evaluation, verdict, report or model; or it was purged after `GATE_KEEP_DAYS`."),
    Kind("method-not-allowed", 405, "That cannot be done here", "The header `Allow` names what can."),
    Kind("request-timeout", 408, "The body did not come in time",
         "The whole body must arrive within 30 seconds. Send it again."),
    Kind("key-reused", 409, "The Idempotency-Key names another request",
         "The key came before with another body. Use a new key for a new request.",
         {"differences": "each field that differs, with its value then and now"}),
    Kind("already-over", 409, "The evaluation is over",
         "It has a verdict or ended in error: there is nothing left to cancel.", {"state": "how it ended"}),
    Kind("not-retryable", 409, "The evaluation cannot be tried again",
         "Only an evaluation that ended in error or was cancelled can. One that has a verdict is asked anew with a "
         "new POST; one that is not over may be waited for.", {"state": "where it stands"}),
    Kind("ambiguous-id", 409, "Several verdicts begin so", "Write more of the verdict's id."),
    Kind("too-large", 413, "The body is too large", "A body may have 524,288 bytes."),
    Kind("unsupported-media-type", 415, "The body is not declared as JSON",
         "Send `Content-Type: application/json`, and UTF-8."),
    Kind("unknown-host", 421, "The server does not have this name",
         "A browser asked for a change under a name that is neither the one of `GATE_PUBLIC_URL` nor of this machine. "
         "Programs, which send no `Origin`, are not affected."),
    Kind("invalid-request", 422, "The request is not right",
         "A member, parameter or header is missing, unknown, of the wrong type or out of bounds.", _ERRORS),
    Kind("policy-error", 422, "The policy is wrong",
         "A policy file cannot be used. As the trouble of an evaluation: the file is one of the server's.", _PROBLEMS),
    Kind("too-many-requests", 429, "Too much waits already",
         "Wait for as long as `Retry-After` says and send the same request again, with the same Idempotency-Key."),
    Kind("internal-error", 500, "A bug in gate",
         "Nothing is said about the cause here; the server's log has it under the `request_id`."),
    Kind("verdict-damaged", 500, "The stored verdict was changed",
         "What the database holds does not match the verdict's digest. It is not shown, and promotes nothing."),
    Kind("database-unavailable", 503, "The database does not answer",
         "Wait for as long as `Retry-After` says and send the same request again, with the same Idempotency-Key."),
    Kind("engine-unavailable", 503, "The work cannot be put in line",
         "The evaluation may be recorded already: send the same request again, with the same Idempotency-Key."),
    Kind("candidate-error", None, "The candidate cannot be judged",
         "The registry has no such model, version or alias, or its entry lacks what judging needs."),
    Kind("usage-error", None, "The request cannot be carried out",
         "No policy or several apply, or the stage is unknown."),
    Kind("server-incomplete", None, "The server lacks an optional part",
         "The detail names what to install on the server."),
    Kind("registry-unreachable", None, "The registry does not answer",
         "The model registry could not be reached, refused, or answered nonsense. A retry may help."),
    Kind("data-refused", None, "The data lies where this server does not read",
         "A path of the policy or of the request leads out of GATE_DATA_ROOTS; asking again changes nothing."),
    Kind("data-unreadable", None, "A dataset cannot be read",
         "The detail names the dataset. A retry helps where the storage was away."),
    Kind("evidence-failed", None, "The evidence could not be gathered", "The detail says which."),
    Kind("store-unavailable", None, "The database was away while the work ran", "A retry may help."),
    Kind("could-not-decide", None, "The gate could not decide", "The detail says why."),
    Kind("deadline-exceeded", None, "No verdict in time",
         "The evaluation took longer than its policy's `evaluate.deadline` or `GATE_EVALUATION_SECONDS`."),
    Kind("process-died", None, "The process that evaluated died",
         "Often memory ran short: lower `GATE_MEMORY_LIMIT` on the server, or give it more."),
    Kind("never-begun", None, "No worker took the evaluation in time",
         "It waited longer than `GATE_QUEUE_SECONDS`. See whether workers run."),
    Kind("abandoned", None, "The worker died each time",
         "Work on it began several times, and its worker ended each time. See the workers' logs, and their memory."),
)  # fmt: skip

CATALOGUE: Mapping[str, Kind] = MappingProxyType({kind.word: kind for kind in _KINDS})
"""Every type of problem, by its word."""


class ProblemError(Exception):
    """A request that is answered with a problem."""

    def __init__(
        self, word: str, detail: str, *, headers: Mapping[str, str] | None = None, **extras: object
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.kind = CATALOGUE[word]
        self.detail = detail
        self.headers = headers or {}
        self.extras = extras

    @property
    def status(self) -> int:
        """The status of the response."""
        return self.kind.status or 500

    def document(self, instance: str, request_id: str) -> bytes:
        """Write the problem document."""
        body: dict[str, Any] = {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "request_id": request_id,
            **self.extras,
        }
        return json.dumps(body, ensure_ascii=True, allow_nan=False).encode()


def title_of(word: str) -> str:
    """The title of a kind; of one that is not in the catalogue, its word as a sentence."""
    known = CATALOGUE.get(word)
    return known.title if known else word.replace("-", " ").capitalize()


def invalid(place: str, message: str) -> ProblemError:
    """Say that one thing in a request is wrong."""
    return ProblemError("invalid-request", f"{place}: {message}", errors=[{"place": place, "message": message}])


def not_found(thing: str) -> ProblemError:
    """Say that there is no such thing."""
    return ProblemError("not-found", f"{thing}: there is none here")


_RETRY = {"Retry-After": str(RETRY_SECONDS)}


def problem_of(wrong: GateError) -> ProblemError:  # noqa: C901  # a table
    """Translate an error that gate raised on purpose. What it says about the inside of the server stays in the log."""
    match wrong:  # what no request runs into, but only the work that it asks for, is a bug here
        case MissingExtraError():
            return internal()
        case KeyReusedError():
            return ProblemError("key-reused", str(wrong), differences=list(wrong.differences))
        case ClientPolicyError():
            return ProblemError("client-policy-refused", str(wrong))
        case OverError():
            return ProblemError("already-over", str(wrong))
        case PolicyError():
            return ProblemError("policy-error", str(wrong), problems=[str(problem) for problem in wrong.problems])
        case UsageError():
            return ProblemError(
                "invalid-request", str(wrong), errors=[{"place": "request", "message": str(wrong)}]
            )  # fmt: skip
        case TooBusyError():
            return busy(str(wrong), wrong.retry_after)
        case DamagedError():
            return ProblemError("verdict-damaged", "the stored verdict does not match its digest; the log names it")
        case StoreError():
            return ProblemError(
                "database-unavailable", f"the database does not answer; ask again in {RETRY_SECONDS} s", headers=_RETRY
            )
        case EngineError():
            return ProblemError(
                "engine-unavailable", f"the work cannot be put in line; ask again in {RETRY_SECONDS} s", headers=_RETRY
            )
        case _:
            return internal()


def busy(detail: str, seconds: int) -> ProblemError:
    """Say that it is too much at once, and when to come again."""
    return ProblemError("too-many-requests", detail, headers={"Retry-After": str(seconds)})


def internal() -> ProblemError:
    """Say that something broke, and nothing more."""
    return ProblemError("internal-error", "something in gate broke; the server's log has it under this request_id")
